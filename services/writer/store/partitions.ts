import { aggregateTypeOf, type StreamId } from '#domain'
import { type ErrorCode, EventStoreError, partitionFor } from '#event-store'
import { aggregateTypeOfTopic, eventTopic, type TopicDescription } from '#kafka'

import type { PartitionOwner } from '../partition/partition-owner.ts'

/** Where a stream's events go. */
export interface StreamPlace {
  readonly topic: string
  readonly partition: number
}

/** A partition that is not served until an operator acts. */
export interface NamedState extends StreamPlace {
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
  placeOf(streamId: StreamId): StreamPlace {
    const { name, partitions } = this.topicOf(aggregateTypeOf(streamId))
    return { topic: name, partition: partitionFor(streamId, partitions) }
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
  ownerOf({ topic, partition }: StreamPlace): PartitionOwner | undefined {
    return this.#owned.get(keyOf(topic, partition))
  }

  get owned(): readonly PartitionOwner[] {
    return [...this.#owned.values()]
  }

  get ownedPlaces(): readonly StreamPlace[] {
    return [...this.#owned.keys()].map(placeOfKey)
  }

  /** The owned partitions that wait for an operator. */
  get namedStates(): readonly NamedState[] {
    return [...this.#owned].flatMap(([key, { namedState }]) =>
      namedState === undefined
        ? []
        : [{ ...placeOfKey(key), state: namedState.code, reason: namedState.message }],
    )
  }

  /** Events that wait for their round, over all owned partitions. */
  get queueDepth(): number {
    return this.owned.reduce((sum, owner) => sum + owner.queueDepth, 0)
  }

  add(place: StreamPlace, owner: PartitionOwner): void {
    this.#owned.set(keyOf(place.topic, place.partition), owner)
  }

  remove({ topic, partition }: StreamPlace): PartitionOwner | undefined {
    const key = keyOf(topic, partition)
    const owner = this.#owned.get(key)
    this.#owned.delete(key)
    return owner
  }

  #typesKnown(): string {
    return [...this.#topics.keys()].map(aggregateTypeOfTopic).join(', ')
  }
}

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`

function placeOfKey(key: string): StreamPlace {
  const slash = key.lastIndexOf('/')
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) }
}
