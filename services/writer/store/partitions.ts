import {
  aggregateTypeOf,
  aggregateTypeOfTopic,
  eventTopic,
  partitionOfStream,
  type StreamId,
  type TopicPartition,
} from '#domain'
import { EventStoreError } from '#event-store'
import type { TopicDescription } from '#kafka'

import type { PartitionWriter } from '../partition/partition-writer.ts'

/** The event topics, and the partitions that this writer owns now. */
export class Partitions {
  readonly #topics: ReadonlyMap<string, TopicDescription>
  /** The owner of a partition, if it is this writer. */
  readonly ownerOf: (place: TopicPartition) => PartitionWriter | undefined

  constructor(
    topics: readonly TopicDescription[],
    ownerOf: (place: TopicPartition) => PartitionWriter | undefined,
  ) {
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]))
    this.ownerOf = ownerOf
  }

  /** @throws EventStoreError `category-not-found` when no domain module has the aggregate type. */
  placeOf(streamId: StreamId): TopicPartition {
    return partitionOfStream(streamId, this.topicOf(aggregateTypeOf(streamId)).partitions)
  }

  /** @throws EventStoreError `category-not-found` */
  topicOf(aggregateType: string): TopicDescription {
    const topic = this.#topics.get(eventTopic(aggregateType))
    if (topic !== undefined) return topic
    throw new EventStoreError(
      'category-not-found',
      `there is no aggregate type ${aggregateType} here: expected one of ${this.#typesKnown()}`,
    )
  }

  #typesKnown(): string {
    return [...this.#topics.keys()].map(aggregateTypeOfTopic).join(', ')
  }
}
