import { eventTopic, partitionKey, type Projection, type TopicPartition } from '#domain'
import { eventsDeleted, type FeedReader, namedState, type WaitingPartition } from '#event-log'
import { type KafkaCluster, LogError } from '#kafka'
import { AcceptedStart, type RedisConnection } from '#redis-index'

interface SourceStatesParts {
  readonly cluster: Pick<KafkaCluster, 'topic' | 'checkHeld'>
  readonly reader: FeedReader
  readonly redis: RedisConnection
}

/**
 * The source partitions that wait for an operator: their topic was replaced, or their head was deleted before a generation had
 * read it. Views must neither stay as they are and pass for fresh, nor silently lack events.
 */
export class SourceStates {
  readonly #parts: SourceStatesParts
  readonly #headless = new Map<string, WaitingPartition>()

  constructor(parts: SourceStatesParts) {
    this.#parts = parts
  }

  /** A reader that refuses to pass over what was deleted, unless an operator has accepted that. */
  get reader(): FeedReader {
    const { reader } = this.#parts
    return {
      fetch: async (topic, partition, offset, how) => {
        try {
          return await reader.fetch(topic, partition, offset, how)
        } catch (error) {
          await this.#checkHead({ topic, partition }, offset, error)
          throw error
        }
      },
      fetchAt: (...at) => reader.fetchAt(...at),
      startOffset: (...place) => reader.startOffset(...place),
      endOffset: (...place) => reader.endOffset(...place),
    }
  }

  /** These partitions are another instance's now, which finds out by itself. */
  forget(places: readonly TopicPartition[]): void {
    for (const place of places) this.#headless.delete(partitionKey(place))
  }

  /** Those of these projections' sources that wait. */
  waiting(projections: readonly Projection[]): readonly WaitingPartition[] {
    const topics = [...new Set(projections.flatMap(({ sources }) => sources))].map(eventTopic)
    const replaced = topics.flatMap((topic) => this.#replaced(topic) ?? [])
    return [...replaced, ...[...this.#headless.values()].filter(({ topic }) => topics.includes(topic))]
  }

  /** Whether views of a projection may be read at all. @throws EventStoreError `log-replaced` */
  checkReadable({ sources }: Projection): void {
    try {
      for (const source of sources) this.#parts.cluster.checkHeld(eventTopic(source))
    } catch (error) {
      throw namedState(error) ?? error
    }
  }

  #replaced(topic: string): WaitingPartition | undefined {
    try {
      this.#parts.cluster.checkHeld(topic)
      return undefined
    } catch (error) {
      return { topic, state: 'log-replaced', reason: (error as Error).message }
    }
  }

  /** @throws LogError `events-deleted` where the offset is before the log's start, and that is not accepted. */
  async #checkHead(place: TopicPartition, offset: number, error: unknown): Promise<void> {
    if (!(error instanceof LogError) || error.outcome !== 'not-there') return
    const { topic, partition } = place
    const start = await this.#parts.reader.startOffset(topic, partition)
    if (offset >= start) return
    const { topicId } = await this.#parts.cluster.topic(topic)
    const accepted = await new AcceptedStart(this.#parts.redis, topic, partition).read(topicId)
    this.#headless.delete(partitionKey(place))
    if (accepted >= start) return
    const deleted = eventsDeleted(place, start, 'a projection', offset)
    this.#headless.set(partitionKey(place), { ...place, state: 'events-deleted', reason: deleted.message })
    throw deleted
  }
}
