import { aggregateTypeOfTopic, partitionKey, type TopicPartition } from '#domain'
import { EventStoreError } from '#event-store'
import { LogError } from '#kafka'

/** A partition that is not served until an operator acts. Others are served. */
export interface WaitingPartition {
  readonly topic: string
  /** Absent if all partitions of the topic wait. */
  readonly partition?: number
  readonly state: 'log-replaced' | 'events-deleted'
  /** The cause and the remedy. */
  readonly reason: string
}

/** The error of a state in which an operator must act; its message states how. Undefined for any other error. */
export function namedState(error: unknown): EventStoreError | undefined {
  if (error instanceof EventStoreError) return isNamed(error.code) ? error : undefined
  if (!(error instanceof LogError) || !isNamed(error.outcome)) return undefined
  return new EventStoreError(error.outcome, error.message, {}, { cause: error })
}

const isNamed = (code: string): code is WaitingPartition['state'] =>
  code === 'log-replaced' || code === 'events-deleted'

/**
 * The error of a log whose head was deleted while it was still needed.
 * @param startOffset the first offset that the log still has.
 * @param what needs the deleted events: `its index`.
 * @param fromOffset the first offset that is needed.
 */
export function eventsDeleted(
  place: TopicPartition,
  startOffset: number,
  what: string,
  fromOffset: number,
): LogError {
  const type = aggregateTypeOfTopic(place.topic)
  return new LogError(
    'events-deleted',
    `events of ${partitionKey(place)} were deleted: its log begins at offset ${startOffset}, ${what} needs it from offset ${fromOffset}. ` +
      `Restore a backup of ${type}, or accept the loss and serve what is left: ` +
      `./annals index rebuild ${type} --accept-deleted-events --yes (docs/operations/failover.md)`,
  )
}
