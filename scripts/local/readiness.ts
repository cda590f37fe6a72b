import { askService } from './ask-service.ts'

/** The response of a service at `/health/ready`. */
export interface Readiness {
  readonly isReady: boolean
  /** What does not work, and what to do about it; one line each. */
  readonly troubles: readonly string[]
}

/** Partitions that wait for an operator while the service serves the others. */
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
 * Requests the readiness of a service.
 * @throws Error when it does not answer in time
 */
export async function readinessOf(address: string): Promise<Readiness> {
  const { isOk, body } = await askService(`${address}/health/ready`)
  const { checks = {} } = body as { checks?: Readonly<Record<string, Check>> }
  return {
    isReady: isOk,
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
 * A probe of a starting service. The service is up once it is ready. A live service that does not become ready within
 * `patienceMs` counts as up too: one part that cannot be served must not end all the others.
 */
export function startedProbe(address: string, patienceMs: number, now = () => performance.now()) {
  const patientUntilMs = now() + patienceMs
  return async (): Promise<boolean> => (await readinessOf(address)).isReady || now() >= patientUntilMs
}
