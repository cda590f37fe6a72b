import { partitionFor } from './partition-for.ts'
import { aggregateTypeOf, type StreamId } from './stream-id.ts'

// All topic names for events and data derived from them. A record's key is the stream id in UTF-8.

const eventTopicPrefix = 'eventstore.'

/** The topic that holds the events of an aggregate type. */
export const eventTopic = (aggregateType: string): string => eventTopicPrefix + aggregateType

/** Whether a topic holds events. Only partition owners write to such a topic. */
export const isEventTopic = (topic: string): boolean => topic.startsWith(eventTopicPrefix)

/** The aggregate type of an event topic: the reverse of {@link eventTopic}. */
export const aggregateTypeOfTopic = (topic: string): string => topic.slice(eventTopicPrefix.length)

/** The topic of the snapshots of an aggregate type. */
export const snapshotTopic = (aggregateType: string): string => `snapshots.${aggregateType}`

/** The topic of a projection's view updates. */
export const projectionTopic = (projection: string): string => `projections.${projection}`

/** The topic of events that a projection failed to apply. */
export const deadLetterTopic = (projection: string): string => `deadletters.${projection}`

/** The topic that holds the events of an aggregate type while its event topic is recreated with another partition count. */
export const repartitionTopic = (aggregateType: string): string => `repartition.${aggregateType}`

/** The topic that records the progress of a repartitioning. While it exists, no writer serves the aggregate type. */
export const repartitionJournal = (aggregateType: string): string => `repartition-journal.${aggregateType}`

/** The topic that records the progress of a restore. While it exists, no writer serves the aggregate type. */
export const restoreJournal = (aggregateType: string): string => `restore-journal.${aggregateType}`

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * The partition that holds the events of a stream.
 * @param partitions partition count of the event topic, from 1.
 */
export const partitionOfStream = (streamId: StreamId, partitions: number): TopicPartition => ({
  topic: eventTopic(aggregateTypeOf(streamId)),
  partition: partitionFor(streamId, partitions),
})

/** `topic/partition`: the name of a partition in errors, logs and owner tables. */
export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** The reverse of {@link partitionKey}. */
export const partitionOfKey = (key: string): TopicPartition => split(key, '/')

/** `topic:partition`: the prefix of a position, and the key of a partition in view stores. */
export const formatPartition = ({ topic, partition }: TopicPartition): string => `${topic}:${partition}`

/** The reverse of {@link formatPartition}. */
export const parsePartition = (text: string): TopicPartition => split(text, ':')

function split(text: string, separator: string): TopicPartition {
  const at = text.lastIndexOf(separator)
  return { topic: text.slice(0, at), partition: Number(text.slice(at + 1)) }
}
