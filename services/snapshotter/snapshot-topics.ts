import { type Aggregate, eventTopic } from '#domain'
import { EventStoreError } from '#event-store'
import { type TopicDescription, type TopicSpec } from '#kafka'
import { snapshotTopicSpec } from '#service'

import { hasSnapshots, type SnapshotAggregate } from './partition/state-source.ts'

/** An aggregate with snapshots, and its event topic. The topic of snapshots has the same number of partitions. */
export interface SnapshotTopic {
  readonly aggregate: SnapshotAggregate
  readonly topic: string
  readonly partitions: number
}

/** The settings of the topics of snapshots. */
export interface SnapshotTopicSettings {
  readonly replication: number
  readonly minInsyncReplicas: number
  readonly messageBytesMax: number
}

/** The aggregates that have snapshots, because they declare a schema for them. */
export class SnapshotTopics {
  readonly all: readonly SnapshotTopic[]
  readonly #aggregateTypes: ReadonlySet<string>

  /** @param eventTopics of the domain's aggregates. */
  constructor(aggregates: readonly Aggregate[], eventTopics: readonly TopicDescription[]) {
    const partitions = new Map(eventTopics.map((topic) => [topic.name, topic.partitions]))
    this.#aggregateTypes = new Set(aggregates.map(({ type }) => type))
    this.all = aggregates.filter(hasSnapshots).map((aggregate) => {
      const topic = eventTopic(aggregate.type)
      return { aggregate, topic, partitions: partitions.get(topic) ?? 0 }
    })
  }

  /** @throws EventStoreError `category-not-found`, or `invalid-request` if the aggregate has no snapshots. */
  of(aggregateType: string): SnapshotTopic {
    const found = this.all.find(({ aggregate }) => aggregate.type === aggregateType)
    if (found !== undefined) return found
    if (!this.#aggregateTypes.has(aggregateType)) {
      throw new EventStoreError('category-not-found', `there is no aggregate type ${aggregateType} here`)
    }
    throw new EventStoreError(
      'invalid-request',
      `aggregates of type ${aggregateType} have no snapshots: add to their definition \`snapshot: { schema }\``,
    )
  }

  /** The topics of snapshots. */
  specs(settings: SnapshotTopicSettings): TopicSpec[] {
    return this.all.map(({ aggregate, partitions }) =>
      snapshotTopicSpec(aggregate.type, partitions, settings),
    )
  }
}
