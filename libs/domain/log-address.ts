import { partitionFor } from './partition-for.ts'
import { aggregateTypeOf, type StreamId } from './stream-id.ts'

// Every name under which events and what derives from them stand in Kafka. A record's key is the stream id, as UTF-8.

const eventTopicPrefix = 'eventstore.'

/** The topic that holds the events of an aggregate type. */
export const eventTopic = (aggregateType: string): string => eventTopicPrefix + aggregateType

/** Whether a topic holds events. Only owners write to it. */
export const isEventTopic = (topic: string): boolean => topic.startsWith(eventTopicPrefix)

/** The aggregate type whose events a topic holds: the reverse of {@link eventTopic}. */
export const aggregateTypeOfTopic = (topic: string): string => topic.slice(eventTopicPrefix.length)

export const snapshotTopic = (aggregateType: string): string => `snapshots.${aggregateType}`

/** The topic of a projection's view updates. */
export const projectionTopic = (projection: string): string => `projections.${projection}`

export const deadLetterTopic = (projection: string): string => `deadletters.${projection}`

/** Holds the events of an aggregate type while its topic is recreated with another number of partitions. */
export const repartitionTopic = (aggregateType: string): string => `repartition.${aggregateType}`

/** The progress of a repartitioning. While it exists, no writer serves the aggregate type. */
export const repartitionJournal = (aggregateType: string): string => `repartition-journal.${aggregateType}`

/** The progress of a restore. While it exists, no writer serves the aggregate type. */
export const restoreJournal = (aggregateType: string): string => `restore-journal.${aggregateType}`

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * Where the events of a stream go.
 * @param partitions how many the event topic has, from 1.
 */
export const partitionOfStream = (streamId: StreamId, partitions: number): TopicPartition => ({
  topic: eventTopic(aggregateTypeOf(streamId)),
  partition: partitionFor(streamId, partitions),
})

/** `topic/partition`: names a partition in errors and logs, and in the tables of owners. */
export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** The reverse of {@link partitionKey}. */
export const partitionOfKey = (key: string): TopicPartition => split(key, '/')

/** `topic:partition`: the beginning of a position, and the key of a partition in the stores of views. */
export const formatPartition = ({ topic, partition }: TopicPartition): string => `${topic}:${partition}`

/** The reverse of {@link formatPartition}. */
export const parsePartition = (text: string): TopicPartition => split(text, ':')

function split(text: string, separator: string): TopicPartition {
  const at = text.lastIndexOf(separator)
  return { topic: text.slice(0, at), partition: Number(text.slice(at + 1)) }
}
