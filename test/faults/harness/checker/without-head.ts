import type { AppendOperation, LoggedEvent, Operation, Remains } from '../history.ts'
import type { Judged, ShortenedPartition } from './decree.ts'
import { indexedStream } from './indexed-stream.ts'

/**
 * Judges a partition without its head as if each stream started with its first remaining version. The index, snapshots
 * and reads of these streams are not judged, because they may or may not include deleted events.
 * @param isInPartition whether a stream belongs to the partition
 */
export function withoutHead(
  { history, remains }: Judged,
  { topic, partition, startOffset }: ShortenedPartition,
  isInPartition: (streamId: string) => boolean,
): Judged {
  const isGone = (event: Pick<LoggedEvent, 'topic' | 'partition' | 'offset'>) =>
    event.topic === topic && event.partition === partition && event.offset < startOffset
  const left = remains.log.filter((event) => !isGone(event))
  const skipped = new Map<string, number>()
  for (const { streamId, version } of left)
    if (isInPartition(streamId) && !skipped.has(streamId)) skipped.set(streamId, version - 1)
  const log = left.map((event) => ({ ...event, version: event.version - (skipped.get(event.streamId) ?? 0) }))
  return {
    history: history.flatMap((operation): Operation[] => {
      if (operation.kind === 'view' || !isInPartition(operation.streamId)) return [operation]
      if (operation.kind !== 'append') return []
      return [shifted(operation, skipped.get(operation.streamId) ?? 0, startOffset)]
    }),
    remains: {
      ...remains,
      log,
      index: [
        ...remains.index.filter(({ streamId }) => !isInPartition(streamId)),
        ...asIndexed(log, isInPartition),
      ],
      snapshots: remains.snapshots.filter(({ streamId }) => !isInPartition(streamId)),
    },
  }
}

/** Its expected version refers to versions that can no longer be looked up. */
function shifted(append: AppendOperation, by: number, startOffset: number): AppendOperation {
  const { outcome } = append
  const expectedVersion = 'any' as const
  if (outcome.is === 'refused')
    return { ...append, expectedVersion, outcome: { is: 'refused', code: outcome.code } }
  if (outcome.is === 'unknown') return { ...append, expectedVersion }
  if (outcome.position.offset < startOffset)
    return { ...append, expectedVersion, outcome: { is: 'unknown', code: 'its event was deleted' } }
  const { firstVersion, lastVersion } = outcome
  const versions = { firstVersion: firstVersion - by, lastVersion: lastVersion - by }
  return { ...append, expectedVersion, outcome: { ...outcome, ...versions } }
}

const asIndexed = (
  log: readonly LoggedEvent[],
  isInPartition: (streamId: string) => boolean,
): Remains['index'] =>
  [...Map.groupBy(log, ({ streamId }) => streamId)]
    .filter(([streamId]) => isInPartition(streamId))
    .map(([streamId, events]) => indexedStream(streamId, events))
