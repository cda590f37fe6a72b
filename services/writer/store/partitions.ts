import {
  aggregateTypeOf,
  aggregateTypeOfTopic,
  eventTopic,
  partitionKey,
  partitionOfKey,
  partitionOfStream,
  type StreamId,
  type TopicPartition,
} from '#domain'
import { type ErrorCode, EventStoreError } from '#event-store'
import type { TopicDescription } from '#kafka'

import type { PartitionOwner } from '../partition/partition-owner.ts'

/** A partition that is not served until an operator acts. */
export interface NamedState extends TopicPartition {
  readonly state: ErrorCode
  /** What happened, and what to do. */
  readonly reason: string
}

/** The event topics, and those of their partitions that this writer owns now. */
export class Partitions {
  readonly #topics: ReadonlyMap<string, TopicDescription>
  readonly #owned = new Map<string, PartitionOwner>()

  constructor(topics: readonly TopicDescription[]) {
    this.#topics = new Map(topics.map((topic) => [topic.name, topic]))
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

  /** The owner of a place, when it is this writer. */
  ownerOf(place: TopicPartition): PartitionOwner | undefined {
    return this.#owned.get(partitionKey(place))
  }

  get owned(): readonly PartitionOwner[] {
    return [...this.#owned.values()]
  }

  get ownedPlaces(): readonly TopicPartition[] {
    return [...this.#owned.keys()].map(partitionOfKey)
  }

  /** The owned partitions that wait for an operator. */
  get namedStates(): readonly NamedState[] {
    return [...this.#owned].flatMap(([key, { namedState }]) =>
      namedState === undefined
        ? []
        : [{ ...partitionOfKey(key), state: namedState.code, reason: namedState.message }],
    )
  }

  /** Events that wait for their round, over all owned partitions. */
  get queueDepth(): number {
    return this.owned.reduce((sum, owner) => sum + owner.queueDepth, 0)
  }

  add(place: TopicPartition, owner: PartitionOwner): void {
    this.#owned.set(partitionKey(place), owner)
  }

  remove(place: TopicPartition): PartitionOwner | undefined {
    const key = partitionKey(place)
    const owner = this.#owned.get(key)
    this.#owned.delete(key)
    return owner
  }

  #typesKnown(): string {
    return [...this.#topics.keys()].map(aggregateTypeOfTopic).join(', ')
  }
}
