import kafkajs from 'kafkajs'

import type {
  AppendOperation,
  LogPosition,
  Operation,
  Remains,
  StateOperation,
  ReadOperation,
  ViewOperation,
} from '../history.ts'
import type { Decrees, Judged, RecreatedTopic, ShortenedPartition } from './decree.ts'
import { aggregateTypeOf } from './stream-names.ts'
import { withoutHead } from './without-head.ts'

export const noDecrees: Decrees = { recreated: [], shortened: [] }

/** The history and the remaining state without what was removed on purpose. The rest is judged as always. */
export function decreed(all: Judged, { recreated, shortened }: Decrees): Judged {
  const renewed = recreated.reduce(ofNewLog, all)
  const ofThisLog = shortened.filter(
    ({ topic, atMs }) => !recreated.some(({ type, goneAtMs }) => topicOf(type) === topic && goneAtMs > atMs),
  )
  return ofThisLog.reduce((judged, each) => withoutHead(judged, each, placesOf(each)), renewed)
}

const topicOf = (type: string): string => `eventstore.${type}`

/** Whether a stream belongs to the partition, according to the default partitioner of Kafka's clients. */
function placesOf({ topic, partition, partitions }: ShortenedPartition): (streamId: string) => boolean {
  const choose = kafkajs.Partitioners.DefaultPartitioner()
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    ...{ partitionId, leader: 1, partitionErrorCode: 0 },
    ...{ replicas: [], isr: [], offlineReplicas: [] },
  }))
  const type = topic.slice('eventstore.'.length)
  return (streamId) =>
    aggregateTypeOf(streamId) === type &&
    choose({ topic, partitionMetadata, message: { key: streamId, value: null } }) === partition
}

const placeName = ({ topic, partition, offset }: LogPosition): string => `${topic}/${partition}/${offset}`

function ofNewLog({ history, remains }: Judged, topic: RecreatedTopic): Judged {
  const isOld = (operation: Operation) => operation.calledAtMs < topic.goneAtMs
  const isOurs = (operation: Operation): operation is AppendOperation =>
    operation.kind === 'append' && aggregateTypeOf(operation.streamId) === topic.type
  const positions = (operations: readonly Operation[]) =>
    new Set(
      operations.flatMap((operation) =>
        isOurs(operation) && operation.outcome.is === 'acknowledged'
          ? [placeName(operation.outcome.position)]
          : [],
      ),
    )
  const oldPlaces = positions(history.filter(isOld))
  const projections = new Set(
    remains.projections.filter(({ source }) => source === topic.type).map(({ name }) => name),
  )
  const judged = history.map((operation): Operation => {
    if (operation.kind === 'view')
      return projections.has(operation.projection) ? viewOfNewLog(operation, topic, oldPlaces) : operation
    if (aggregateTypeOf(operation.streamId) !== topic.type) return operation
    if (operation.kind === 'append') return appendToNewLog(operation, topic, oldPlaces)
    return operation.calledAtMs < topic.servedAtMs ? withoutOutcome(operation) : operation
  })
  const isJudged = ({ from, streamId }: Remains['snapshots'][number]) =>
    from === 'redis' || aggregateTypeOf(streamId) !== topic.type
  return { history: judged, remains: { ...remains, snapshots: remains.snapshots.filter(isJudged) } }
}

/**
 * Until the services have restarted, a rejection may still refer to the old log, and so may the first response to a
 * duplicate.
 */
function appendToNewLog(
  append: AppendOperation,
  { goneAtMs, servedAtMs }: RecreatedTopic,
  oldPlaces: ReadonlySet<string>,
): AppendOperation {
  const { outcome, calledAtMs } = append
  if (calledAtMs < goneAtMs) return withoutOutcome(append)
  if (calledAtMs >= servedAtMs) return append
  if (outcome.is === 'refused') return { ...append, outcome: { is: 'refused', code: 'log-replaced' } }
  const isOldAnswer =
    outcome.is === 'acknowledged' && outcome.duplicate && oldPlaces.has(placeName(outcome.position))
  return isOldAnswer ? withoutOutcome(append) : append
}

/** A token of the old log says nothing about the new one. */
function viewOfNewLog(
  view: ViewOperation,
  { servedAtMs }: RecreatedTopic,
  oldPlaces: ReadonlySet<string>,
): ViewOperation {
  if (view.calledAtMs < servedAtMs) return withoutOutcome(view)
  const { after, ...rest } = view
  return after === undefined || !oldPlaces.has(placeName(after)) ? view : rest
}

function withoutOutcome<T extends AppendOperation | ReadOperation | StateOperation | ViewOperation>(
  operation: T,
): T {
  return { ...operation, outcome: { is: 'unknown', code: 'its log was deleted' } }
}
