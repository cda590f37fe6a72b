import type { AppendOperation, LoggedEvent, Operation, Remains } from '../history.ts'
import type { Judged, ShortenedPartition } from './decree.ts'

/**
 * What is left of a partition without its head is judged as if each stream began with its first version that is still there. What index,
 * snapshots and reads say of these streams is not judged: they may know of what was deleted, or not.
 * @param isThere whether a stream lies in the partition.
 */
export function withoutHead(
  { history, remains }: Judged,
  { topic, partition, startOffset }: ShortenedPartition,
  isThere: (streamId: string) => boolean,
): Judged {
  const isGone = (event: Pick<LoggedEvent, 'topic' | 'partition' | 'offset'>) =>
    event.topic === topic && event.partition === partition && event.offset < startOffset
  const left = remains.log.filter((event) => !isGone(event))
  const skipped = new Map<string, number>()
  for (const { streamId, version } of left)
    if (isThere(streamId) && !skipped.has(streamId)) skipped.set(streamId, version - 1)
  const log = left.map((event) => ({ ...event, version: event.version - (skipped.get(event.streamId) ?? 0) }))
  return {
    history: history.flatMap((operation): Operation[] => {
      if (operation.kind === 'view' || !isThere(operation.streamId)) return [operation]
      if (operation.kind !== 'append') return []
      return [shifted(operation, skipped.get(operation.streamId) ?? 0, startOffset)]
    }),
    remains: {
      ...remains,
      log,
      index: [...remains.index.filter(({ streamId }) => !isThere(streamId)), ...asIndexed(log, isThere)],
      snapshots: remains.snapshots.filter(({ streamId }) => !isThere(streamId)),
    },
  }
}

/** Whatever it expected was of versions that nobody can look up any more. */
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

const asIndexed = (log: readonly LoggedEvent[], isThere: (streamId: string) => boolean): Remains['index'] =>
  [...Map.groupBy(log, ({ streamId }) => streamId)]
    .filter(([streamId]) => isThere(streamId))
    .map(([streamId, events]) => ({
      ...{ streamId, version: events.length },
      offsets: events.map(({ offset }) => offset),
    }))
