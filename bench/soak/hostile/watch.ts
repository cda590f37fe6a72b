import { rest } from './raw-connections.ts'

const probeIntervalMs = 1_000
const answerMsMax = 5_000

/** What a process reports while it is attacked. */
export interface Watched {
  readonly memoryMiBMax: number
  /** Response times of `/health/live`, in milliseconds. */
  readonly healthMs: readonly number[]
  /** Probes without a response within 5 s. */
  readonly unanswered: number
  /** Distinct owner tables. More than one means that partitions have moved. */
  readonly ownerTables: readonly string[]
  /** Partitions that were taken over in the meantime. */
  readonly takeOvers: number
}

/** Probes a process every second until the signal aborts. */
export async function watch(url: string, signal: AbortSignal): Promise<Watched> {
  const healthMs: number[] = []
  const tables = new Set<string>()
  let [memoryMiBMax, unanswered, first, last] = [0, 0, NaN, NaN]
  const look = async (): Promise<void> => {
    const startedMs = performance.now()
    await textOf(`${url}/health/live`)
    healthMs.push(performance.now() - startedMs)
    const metrics = await textOf(`${url}/metrics`)
    memoryMiBMax = Math.max(memoryMiBMax, valueOf(metrics, 'process_resident_memory_bytes') / 2 ** 20)
    last = valueOf(metrics, 'annals_writer_take_over_seconds_count')
    if (Number.isNaN(first)) first = last
    tables.add(await textOf(`${url}/owners`))
  }
  while (!signal.aborted) {
    await look().catch(() => unanswered++)
    await rest(probeIntervalMs, signal)
  }
  return { memoryMiBMax, healthMs, unanswered, ownerTables: [...tables], takeOvers: last - first }
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) })
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return response.text()
}

/** @returns NaN if there is no such metric */
const valueOf = (metrics: string, name: string): number =>
  Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, 'm').exec(metrics)?.[1])
