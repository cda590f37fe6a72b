import type { StreamId } from '#domain'
import { reportSafely } from '#observability'

import type { IndexEntry, LogPiece } from './index-entry.ts'

/** @param before the version that the stream has there; 0: none. */
export type OnMisfit = (entry: IndexEntry, before: number) => void

/**
 * A log from its start, without the events that do not follow the one before them in their stream: only a process that is not an
 * owner can have written them. Where the head of the log was deleted (`headless`), a stream may begin with any version. Keeps the
 * version of every stream in memory, so it is for logs that are known to need it.
 */
export async function* fittingOnly(
  pieces: AsyncIterable<LogPiece>,
  onMisfit: OnMisfit = () => undefined,
  headless = false,
): AsyncGenerator<LogPiece> {
  const versions = new Map<StreamId, number>()
  const follows = (entry: IndexEntry): boolean => {
    const before = versions.get(entry.streamId) ?? (headless ? entry.version - 1 : 0)
    const isNext = entry.version === before + 1
    if (isNext) versions.set(entry.streamId, entry.version)
    else reportSafely(() => onMisfit(entry, before))
    return isNext
  }
  for await (const piece of pieces) yield { ...piece, entries: piece.entries.filter(follows) }
}
