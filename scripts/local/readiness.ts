const probeMs = 4_000

/** What a service says of itself at `/health/ready`. */
export interface Readiness {
  readonly isReady: boolean
  /** What does not work, and what to do about it; a line each. */
  readonly troubles: readonly string[]
}

/** Partitions that wait for an operator while the service goes on with the others. */
interface Waiting {
  readonly topic: string
  readonly partition: number
  readonly state: string
  readonly reason: string
}

interface Check {
  readonly healthy: boolean
  readonly error?: string
  readonly details?: { readonly waitForOperator?: readonly Waiting[] }
}

/**
 * Asks a service how it is.
 * @throws Error when it does not answer in time
 */
export async function readinessOf(address: string): Promise<Readiness> {
  const response = await fetch(`${address}/health/ready`, { signal: AbortSignal.timeout(probeMs) })
  const { checks = {} } = (await response.json()) as { checks?: Readonly<Record<string, Check>> }
  return {
    isReady: response.ok,
    troubles: Object.entries(checks).flatMap(([name, check]) => troublesOf(name, check)),
  }
}

function troublesOf(name: string, { healthy, error, details }: Check): string[] {
  const waiting = (details?.waitForOperator ?? []).map(
    ({ topic, partition, state, reason }) => `${name}: ${topic}/${partition} is ${state}: ${reason}`,
  )
  return healthy ? waiting : [`${name}: ${error ?? 'not ready'}`, ...waiting]
}

/**
 * A probe of a service that starts. It is up once it is ready. One that is alive, but does not become ready within
 * `patienceMs`, counts as up as well: that a part of it cannot be served must not end all others with it.
 */
export function startedProbe(address: string, patienceMs: number, now = () => performance.now()) {
  const patientUntilMs = now() + patienceMs
  return async (): Promise<boolean> => (await readinessOf(address)).isReady || now() >= patientUntilMs
}
