import { reportSafely } from '#observability'

import { HeadDeletedError, IndexMismatchError, IndexUnavailableError, LaterOwnerError } from './errors.ts'
import { fittingOnly, type OnMisfit } from './fitting-only.ts'
import type { Guard, IndexEntry, LogPiece, IndexedTerm } from './index-entry.ts'
import type { PartitionIndex } from './partition-index.ts'
import { type GuardTerm, termText } from './term-text.ts'

export interface CatchUpProgress {
  readonly fromOffset: number
  readonly nextOffset: number
  readonly endOffset: number
  readonly events: number
  /** Events since the last report. */
  readonly added: number
  /** Whether the index is rebuilt, from the start of the log. */
  readonly rebuild: boolean
}

export interface CatchUp {
  readonly topicId: string
  /** The owner's term. */
  readonly producerId: bigint
  readonly epoch: number
  /** Whether the log has no later term. Called unless the index has this term's producer id, and when all attempts failed. */
  readonly isLastTerm: () => Promise<boolean>
  /** The first offset that the log still has. */
  readonly startOffset: number
  /** The operator has accepted that events before this offset are deleted. */
  readonly acceptedStart: number
  /** The offset after the last one of the log. An index past it belongs to another log. */
  readonly endOffset: number
  /** The log from an offset on, in order, up to `endOffset` at least. A piece may begin before the offset asked for. */
  readonly read: (fromOffset: number) => AsyncIterable<LogPiece>
  readonly onProgress?: (progress: CatchUpProgress) => void
  /** Called for each event that a rebuild leaves out because it does not follow its predecessor in its stream. Without it such a log is rejected. */
  readonly onMisfit?: OnMisfit
}

type Index = Pick<PartitionIndex, 'guard' | 'claim' | 'dropSeen' | 'commit' | 'rememberedIdsMax'>

/** Commits in flight at a time: enough that Redis never waits for the reader, few enough to bound memory. */
const commitsInFlightMax = 4
/** Events of one commit: few enough that no script blocks Redis for long. */
const commitEventsMax = 1_000
const attemptsMax = 3

/**
 * Brings the index to the end of the log and makes the term its owner. It resumes from the stored offset. An index that is
 * empty, of another topic or past the end is dropped and rebuilt from the start. It starts over when the guard is lost meanwhile.
 * @returns the guard that holds from now on.
 * @throws HeadDeletedError when the log no longer has events that the index lacks, and no operator has accepted that.
 * @throws LaterOwnerError when the log has a later term: retrying within this term never succeeds.
 * @throws IndexUnavailableError while Redis does not answer or keeps losing the index.
 * @throws IndexMismatchError when events of the log itself are not contiguous, and `onMisfit` is missing.
 */
export async function catchUp(index: Index, log: CatchUp): Promise<Guard> {
  let source = log
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const guard = await claim(index, log)
    const reached = guard === 'guard-lost' ? guard : await applyFrom(index, guard, source)
    if (typeof reached === 'object') return reached
    if (reached === 'log-misfits') source = withoutMisfits(log)
  }
  const changed = `the index of topic ${log.topicId} changed under term ${termText(log)} in ${attemptsMax} catch-ups in a row: `
  if (!(await log.isLastTerm())) throw new LaterOwnerError(`${changed}the log has a later term`)
  throw new IndexUnavailableError(`${changed}Redis keeps losing it`)
}

const withoutMisfits = (log: CatchUp): CatchUp => ({
  ...log,
  read: (from) => fittingOnly(log.read(from), log.onMisfit, from > 0),
})

async function claim(index: Index, log: CatchUp): Promise<'guard-lost' | Guard> {
  const { topicId, producerId, epoch } = log
  const stored = await index.guard()
  const ofThisLog = stored?.topicId === topicId ? stored : undefined
  if (await isOver(log, ofThisLog)) {
    // This owner was suspended after its take-over. It may neither claim nor drop the index.
    throw new LaterOwnerError(
      `the log of topic ${topicId} has a later term than ${termText(log)}, which has seen it up to offset ${log.endOffset}; the index is ${stateOf(stored, topicId)}`,
    )
  }
  const belongs = ofThisLog !== undefined && ofThisLog.nextOffset <= log.endOffset
  if (belongs) return index.claim({ topicId, producerId, epoch, nextOffset: ofThisLog.nextOffset }, ofThisLog)
  if ((await index.dropSeen(stored)) === 'guard-lost') return 'guard-lost'
  return index.claim({ topicId, producerId, epoch, nextOffset: 0 })
}

function stateOf(stored: Guard | undefined, topicId: string): string {
  if (stored === undefined) return 'empty'
  if (stored.topicId !== topicId) return `of topic ${stored.topicId}`
  return `at offset ${stored.nextOffset} under term ${termText(stored)}`
}

/** Epochs of one producer id grow. Of two producer ids only the log knows which came later. */
async function isOver(own: CatchUp, stored: GuardTerm | undefined): Promise<boolean> {
  if (stored?.producerId === own.producerId) return stored.epoch > own.epoch
  return !(await own.isLastTerm())
}

async function applyFrom(
  index: Index,
  start: Guard,
  log: CatchUp,
): Promise<'guard-lost' | 'log-misfits' | Guard> {
  if (start.nextOffset < log.startOffset && log.acceptedStart < log.startOffset) {
    throw new HeadDeletedError(start.nextOffset, log.startOffset)
  }
  try {
    return await apply(index, start, log)
  } catch (error) {
    const isHopeless = start.nextOffset === 0 && log.onMisfit === undefined
    if (!(error instanceof IndexMismatchError) || isHopeless) throw error
    // An inconsistent index is rebuilt. If that fails as well, the log is inconsistent.
    await dropOwn(index, log)
    return start.nextOffset > 0 ? 'guard-lost' : 'log-misfits'
  }
}

/** Drops the index unless another owner has claimed it in the meantime. */
async function dropOwn(index: Index, own: GuardTerm): Promise<void> {
  const stored = await index.guard()
  const isOwn = stored?.producerId === own.producerId && stored.epoch === own.epoch
  if (stored === undefined || isOwn) await index.dropSeen(stored)
}

async function apply(index: Index, start: Guard, log: CatchUp): Promise<'guard-lost' | Guard> {
  let guard = start
  let events = 0
  const from = Math.max(start.nextOffset, log.startOffset)
  const headless = start.nextOffset < from
  const inFlight: Promise<'guard-lost' | Guard>[] = []
  const report = (added: number) => {
    const { endOffset } = log
    const at = { fromOffset: start.nextOffset, nextOffset: guard.nextOffset, endOffset }
    reportSafely(() => log.onProgress?.({ ...at, events, added, rebuild: start.nextOffset === 0 }))
  }
  try {
    for await (const { entries, starts = [], nextOffset } of commitPieces(log.read(from), from)) {
      const idsFrom = Math.max(0, log.endOffset - index.rememberedIdsMax)
      const commit = index.commit(guard, entries, nextOffset, { headless, starts, idsFrom })
      commit.catch(() => undefined) // Awaited below, possibly after an earlier one has failed.
      inFlight.push(commit)
      guard = { ...guard, nextOffset }
      events += entries.length
      if (inFlight.length >= commitsInFlightMax && (await inFlight.shift()) === 'guard-lost')
        return 'guard-lost'
      report(entries.length)
    }
    if ((await Promise.all(inFlight)).includes('guard-lost')) return 'guard-lost'
    return atEnd(guard, log)
  } finally {
    await Promise.allSettled(inFlight)
  }
}

/** An owner with an index short of the log's end would assign versions twice. */
function atEnd(guard: Guard, { endOffset }: CatchUp): Guard {
  if (guard.nextOffset >= endOffset) return guard
  throw new RangeError(`the log was read only up to offset ${guard.nextOffset}, but ends at ${endOffset}`)
}

/** The log in pieces of a commit's size, from `fromOffset` on. */
async function* commitPieces(pieces: AsyncIterable<LogPiece>, fromOffset: number): AsyncGenerator<LogPiece> {
  let entries: IndexEntry[] = []
  let starts: IndexedTerm[] = []
  let nextOffset = fromOffset
  for await (const piece of pieces) {
    // Terms go with the first commit of their piece: an index must never be past a marker that it does not list.
    starts.push(...(piece.starts ?? []))
    for (const entry of piece.entries) {
      if (entry.offset < fromOffset) continue
      if (entries.length === commitEventsMax) {
        yield { entries, starts, nextOffset }
        entries = []
        starts = []
      }
      entries.push(entry)
      nextOffset = entry.offset + 1
    }
    nextOffset = Math.max(nextOffset, piece.nextOffset)
  }
  if (nextOffset > fromOffset) yield { entries, starts, nextOffset }
}
