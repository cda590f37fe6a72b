import { IndexMismatchError, IndexUnavailableError } from './errors.ts'
import { fittingOnly, type OnMisfit } from './fitting-only.ts'
import type { Guard, IndexEntry, LogPiece } from './index-entry.ts'
import type { PartitionIndex } from './partition-index.ts'

export interface CatchUpProgress {
  readonly fromOffset: number
  readonly nextOffset: number
  readonly endOffset: number
  readonly events: number
  /** Whether the index is built anew, from the start of the log. */
  readonly rebuild: boolean
}

export interface CatchUp {
  readonly topicId: string
  /** The new owner's term. */
  readonly epoch: number
  /**
   * Whether this term has served already. Then an index of a higher epoch is a later owner's, and is left to it. At a take-over epochs
   * are not compared so: they begin anew when Kafka gives another producer id.
   */
  readonly isServingTerm?: boolean
  /** The offset after the last one of the log now. An index that is past it belongs to another log. */
  readonly endOffset: number
  /** The log from an offset on, in order, up to `endOffset` at least. A piece may begin before the offset asked for. */
  readonly read: (fromOffset: number) => AsyncIterable<LogPiece>
  readonly onProgress?: (progress: CatchUpProgress) => void
  /** Told of each event that a rebuild leaves out, because it does not follow the one before it in its stream. Without it such a log is refused. */
  readonly onMisfit?: OnMisfit
}

type Index = Pick<PartitionIndex, 'guard' | 'claim' | 'dropSeen' | 'commit'>

/** Commits on their way at a time: enough that Redis never waits for the reader, few enough to bound what is in memory. */
const commitsInFlightMax = 4
/** Events of one commit, so that no script holds Redis up for long. */
const commitEventsMax = 1_000
const attemptsMax = 3
/** A rebuild fills the tails of streams from the end of the log only: older events are read seldom, and can be had from the log. */
const rebuiltTailOffsets = 10_000

/**
 * Brings the index to the end of the log and makes the epoch its owner. Goes on from the offset stored, or, where the index is
 * empty, of another topic or past the end, drops it and applies the log from the start. Starts over when the guard is lost on the way.
 * @returns the guard that holds from now on.
 * @throws IndexUnavailableError while Redis does not answer, or where a later owner has, or others keep claiming, the index.
 * @throws IndexMismatchError where events of the log itself do not follow each other, and nobody is told of those left out.
 */
export async function catchUp(index: Index, log: CatchUp): Promise<Guard> {
  let source = log
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const guard = await claim(index, log)
    const reached = guard === 'guard-lost' ? guard : await applyFrom(index, guard, source)
    if (typeof reached === 'object') return reached
    if (reached === 'log-misfits') source = withoutMisfits(log)
  }
  throw new IndexUnavailableError(
    `the index of topic ${log.topicId} changed under epoch ${log.epoch} in ${attemptsMax} catch-ups one after the other: ` +
      'another process claims it, or Redis keeps losing it',
  )
}

const withoutMisfits = (log: CatchUp): CatchUp => ({
  ...log,
  read: (from) => fittingOnly(log.read(from), log.onMisfit),
})

async function claim(index: Index, log: CatchUp): Promise<'guard-lost' | Guard> {
  const { topicId, epoch, isServingTerm = false } = log
  const stored = await index.guard()
  const belongs = stored?.topicId === topicId && stored.nextOffset <= log.endOffset
  if (stored?.topicId === topicId && stored.epoch > epoch && (isServingTerm || !belongs)) {
    // Not an index of another log, but a later owner's: this one slept between its take-over and now.
    throw new IndexUnavailableError(
      `the index of topic ${topicId} is at offset ${stored.nextOffset} under epoch ${stored.epoch}, epoch ${epoch} has seen the log ` +
        `up to ${log.endOffset}: a later owner is at work`,
    )
  }
  if (belongs) return index.claim({ topicId, epoch, nextOffset: stored.nextOffset }, stored)
  if ((await index.dropSeen(stored)) === 'guard-lost') return 'guard-lost'
  return index.claim({ topicId, epoch, nextOffset: 0 })
}

async function applyFrom(
  index: Index,
  start: Guard,
  log: CatchUp,
): Promise<'guard-lost' | 'log-misfits' | Guard> {
  try {
    return await apply(index, start, log)
  } catch (error) {
    const isHopeless = start.nextOffset === 0 && log.onMisfit === undefined
    if (!(error instanceof IndexMismatchError) || isHopeless) throw error
    // An index that went wrong is built anew. Where that does not mend it, the log is wrong.
    await dropOwn(index, log.epoch)
    return start.nextOffset > 0 ? 'guard-lost' : 'log-misfits'
  }
}

/** Unless another has claimed it meanwhile. */
async function dropOwn(index: Index, epoch: number): Promise<void> {
  const stored = await index.guard()
  if (stored === undefined || stored.epoch === epoch) await index.dropSeen(stored)
}

async function apply(index: Index, start: Guard, log: CatchUp): Promise<'guard-lost' | Guard> {
  let guard = start
  let events = 0
  const inFlight: Promise<'guard-lost' | Guard>[] = []
  const report = () =>
    log.onProgress?.({
      fromOffset: start.nextOffset,
      nextOffset: guard.nextOffset,
      endOffset: log.endOffset,
      events,
      rebuild: start.nextOffset === 0,
    })
  try {
    for await (const { entries, nextOffset } of commitPieces(log.read(guard.nextOffset), guard.nextOffset)) {
      const tails = start.nextOffset > 0 || nextOffset > log.endOffset - rebuiltTailOffsets
      const commit = index.commit(guard, entries, nextOffset, { tails })
      commit.catch(() => undefined) // Awaited below, but perhaps after an earlier one has failed.
      inFlight.push(commit)
      guard = { ...guard, nextOffset }
      events += entries.length
      if (inFlight.length >= commitsInFlightMax && (await inFlight.shift()) === 'guard-lost')
        return 'guard-lost'
      report()
    }
    if ((await Promise.all(inFlight)).includes('guard-lost')) return 'guard-lost'
    return atEnd(guard, log)
  } finally {
    await Promise.allSettled(inFlight)
  }
}

/** An owner that served from an index short of the log's end would give versions twice. */
function atEnd(guard: Guard, { endOffset }: CatchUp): Guard {
  if (guard.nextOffset >= endOffset) return guard
  throw new RangeError(`the log was read up to offset ${guard.nextOffset} only, its end is ${endOffset}`)
}

/** The log in pieces of a commit's size, without what lies before `fromOffset`. */
async function* commitPieces(pieces: AsyncIterable<LogPiece>, fromOffset: number): AsyncGenerator<LogPiece> {
  let entries: IndexEntry[] = []
  let nextOffset = fromOffset
  for await (const piece of pieces) {
    for (const entry of piece.entries) {
      if (entry.offset < fromOffset) continue
      if (entries.length === commitEventsMax) {
        yield { entries, nextOffset }
        entries = []
      }
      entries.push(entry)
      nextOffset = entry.offset + 1
    }
    nextOffset = Math.max(nextOffset, piece.nextOffset)
  }
  if (nextOffset > fromOffset) yield { entries, nextOffset }
}
