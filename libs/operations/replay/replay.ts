import { inParallel, pause, unlessAborted } from '#async'
import { type LogReader, type StoredRecord } from '#kafka'

import type { ReplayPace } from './pace.ts'
import type { ReplayProgress } from './replay-progress.ts'
import { UnreadableError } from './unreadable-error.ts'
import type { ReplayTarget, Written } from './replay-target.ts'

export interface ReplayOptions {
  readonly reader: Pick<LogReader, 'read'>
  readonly topic: string
  readonly progress: ReplayProgress
  readonly matches: (record: StoredRecord) => boolean
  /** Whether no later record of the partition can match. */
  readonly isLast: (record: StoredRecord) => boolean
  readonly target: ReplayTarget
  readonly pace: ReplayPace
  /** Partitions that are read at the same time. */
  readonly parallel: number
  /** Saves the progress regularly and at the end. */
  readonly save?: (fileBytes: number) => Promise<void>
  /** Ends the replay after the records in flight. */
  readonly signal: AbortSignal
}

/** How a replay ended. Its progress is in ReplayProgress. */
export type ReplayEnd =
  { readonly status: 'done' | 'interrupted' } | { readonly status: 'failed'; readonly error: unknown }

const saveIntervalMs = 1_000

/**
 * Replays the rest of each partition, several partitions concurrently, each in its order. The first failure ends all of them: the records
 * in flight are finished, and the checkpoint covers them. It never throws.
 */
export async function replay(options: ReplayOptions): Promise<ReplayEnd> {
  const failed = new AbortController()
  const errors: unknown[] = []
  const fail = (error: unknown): void => {
    errors.push(error)
    failed.abort()
  }
  const running = { ...options, signal: AbortSignal.any([options.signal, failed.signal]) }
  // Before the first event, so that a replay that is killed early can also be resumed.
  await save(running).catch(fail)
  const ended = new AbortController()
  const saving = saveRegularly(running, ended.signal).catch(fail)
  await replayAll(running, fail)
  ended.abort()
  await saving
  await save(running).catch(fail)
  if (errors.length > 0) return { status: 'failed', error: errors[0] }
  return { status: options.progress.isDone ? 'done' : 'interrupted' }
}

async function replayAll(options: ReplayOptions, fail: (error: unknown) => void): Promise<void> {
  const { progress, parallel, signal } = options
  const waiting = progress.partitions.filter(({ next, until }) => next < until)
  const run = ({ partition }: { readonly partition: number }, ending: AbortSignal) =>
    new PartitionReplay({ ...options, signal: ending }, partition).run()
  await inParallel(waiting, parallel, run, signal).catch((error: unknown) => {
    if (error !== signal.reason) fail(error)
  })
}

async function saveRegularly(options: ReplayOptions, ended: AbortSignal): Promise<void> {
  const isOver = (): boolean => ended.aborted
  while (!isOver()) {
    await pause(saveIntervalMs, ended)
    if (!isOver()) await save(options)
  }
}

async function save({ target, save: keep }: ReplayOptions): Promise<void> {
  if (keep !== undefined) await target.settle(keep)
}

/** Events that are written together, and the number of records read for them. */
interface Portion {
  readonly events: readonly StoredRecord[]
  readonly read: number
  readonly next: number
}

class PartitionReplay {
  readonly #options: ReplayOptions
  readonly #partition: number

  constructor(options: ReplayOptions, partition: number) {
    this.#options = options
    this.#partition = partition
  }

  async run(): Promise<void> {
    const { reader, topic, progress, signal } = this.#options
    const { next: from, until } = progress.of(this.#partition)
    const pieces = reader.read(topic, this.#partition, { from, until })
    for (;;) {
      const piece = await unlessAborted(signal, pieces.next())
      if (piece === undefined) return
      if (piece.done === true) break
      if (await this.#replay(piece.value)) break
      if (signal.aborted) return
    }
    progress.finish(this.#partition)
    await pieces.return()
  }

  /** @returns whether no later record can match. */
  async #replay(records: readonly StoredRecord[]): Promise<boolean> {
    const { progress, isLast, signal } = this.#options
    try {
      for (const portion of this.#portionsOf(records)) {
        await this.#options.pace.take(portion.events.length, signal)
        if (signal.aborted) return false
        await this.#write(portion)
        if (portion.events.some(isLast)) return true
      }
      return false
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      // Writes the records before the unreadable one.
      const { next } = progress.of(this.#partition)
      const good = records.filter(({ offset }) => offset >= next && offset < error.position.offset)
      for (const portion of this.#portionsOf(good)) await this.#write(portion)
      throw error
    }
  }

  async #write({ events, read, next }: Portion): Promise<void> {
    const { progress, target } = this.#options
    const advance = (written: Written): void => progress.advance(this.#partition, { next, read, ...written })
    if (events.length === 0) advance({ events: 0, leftOut: [] })
    else await target.write(this.#partition, events, advance)
  }

  *#portionsOf(records: readonly StoredRecord[]): Generator<Portion> {
    const { matches, pace } = this.#options
    let events: StoredRecord[] = []
    let read = 0
    for (const record of records) {
      read++
      if (matches(record)) events.push(record)
      if (events.length < pace.burst) continue
      yield { events, read, next: record.offset + 1 }
      events = []
      read = 0
    }
    if (read > 0) yield { events, read, next: (records.at(-1)?.offset ?? 0) + 1 }
  }
}
