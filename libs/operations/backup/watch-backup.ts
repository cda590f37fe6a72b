import { Backoff, noJitter, pause } from '#async'
import type { DomainModule } from '#domain'

import type { LogOpener, OpenLog } from './open-log.ts'
import { topicsAsked } from './plan-backup.ts'

/** When the next backup is due: as soon as one of these is reached. */
export interface Due {
  readonly everyMs?: number
  /** New offsets since the last backup: events, and a few markers. */
  readonly events?: number
  /** New bytes in the log since the last backup, without copies. */
  readonly bytes?: number
}

export interface WatchOptions {
  readonly due: Due
  readonly types: readonly string[]
  readonly domain: DomainModule
  /** Opens connections. They are used until something fails. */
  readonly open: LogOpener
  /** Makes one backup and reports it. */
  readonly make: (log: OpenLog) => Promise<void>
  /** Receives the error, and the time until the retry. */
  readonly failed: (error: unknown, retryMs: number) => void
  readonly signal: AbortSignal
}

interface LogSize {
  readonly offsets: number
  readonly bytes: number
}

const pollMs = 1_000
const retryLimits = { delayMsMin: 1_000, delayMsMax: 60_000 }

/** Makes a backup whenever one is due, the first one immediately, until the signal aborts. A failure is retried until it succeeds. */
export async function watchBackups(options: WatchOptions): Promise<void> {
  const { open, make, failed, signal } = options
  const isOver = (): boolean => signal.aborted
  const backoff = new Backoff(retryLimits, noJitter)
  while (!isOver()) {
    try {
      await open(async (log) => {
        while (!isOver()) {
          const beganMs = performance.now()
          const before = await sizeOf(log, options)
          await make(log)
          backoff.reset()
          await untilDue(log, options, before, beganMs)
        }
      }, signal)
    } catch (error) {
      if (isOver()) return
      const retryMs = backoff.nextMs()
      failed(error, retryMs)
      await pause(retryMs, signal)
    }
  }
}

async function untilDue(
  log: OpenLog,
  options: WatchOptions,
  before: LogSize,
  beganMs: number,
): Promise<void> {
  const { everyMs = Infinity, events = Infinity, bytes = Infinity } = options.due
  const leftMs = () => everyMs - (performance.now() - beganMs)
  while (!options.signal.aborted && leftMs() > 0) {
    await pause(Math.min(pollMs, leftMs()), options.signal)
    const now = await sizeOf(log, options)
    if (now.offsets - before.offsets >= events || now.bytes - before.bytes >= bytes) return
  }
}

/** The size of the log, as far as the request needs it. */
async function sizeOf({ topics, reader }: OpenLog, { domain, types, due }: WatchOptions): Promise<LogSize> {
  if (due.events === undefined && due.bytes === undefined) return { offsets: 0, bytes: 0 }
  const found = await topics.describe(topicsAsked(domain, types).map(({ name }) => name))
  const ends = found.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => reader.endOffset(name, partition)),
  )
  const offsets = (await Promise.all(ends)).reduce((sum, end) => sum + end, 0)
  if (due.bytes === undefined || found.length === 0) return { offsets, bytes: 0 }
  const sizes = await topics.bytes(found)
  const bytes = found.reduce((sum, { name, replication }) => sum + (sizes.get(name) ?? 0) / replication, 0)
  return { offsets, bytes }
}
