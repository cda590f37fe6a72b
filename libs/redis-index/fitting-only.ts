import type { StreamId } from '#domain'
import { reportSafely } from '#observability'

import type { IndexEntry, LogPiece } from './index-entry.ts'

/** @param before the version of the stream at that point; 0: none. */
export type OnMisfit = (entry: IndexEntry, before: number) => void

/**
 * A log from its start, without the events that do not follow their predecessors in their streams: only a process that was not the
 * owner can have written them. If the head of the log was deleted (`headless`), a stream may start with any version. It keeps the
 * version of every stream in memory, so use it only for logs that need it.
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
