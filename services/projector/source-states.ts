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
 * The source partitions that wait for an operator: their topic was replaced, or their head was deleted before a generation
 * had read it. Their views must neither appear current nor silently miss events.
 */
export class SourceStates {
  readonly #parts: SourceStatesParts
  readonly #headless = new Map<string, WaitingPartition>()

  constructor(parts: SourceStatesParts) {
    this.#parts = parts
  }

  /** A reader that does not skip deleted events, unless an operator has accepted the loss. */
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

  /** Forgets partitions of another instance, which detects their states itself. */
  forget(places: readonly TopicPartition[]): void {
    for (const place of places) this.#headless.delete(partitionKey(place))
  }

  /** The waiting sources of these projections. */
  waiting(projections: readonly Projection[]): readonly WaitingPartition[] {
    const topics = [...new Set(projections.flatMap(({ sources }) => sources))].map(eventTopic)
    const replaced = topics.flatMap((topic) => this.#replaced(topic) ?? [])
    return [...replaced, ...[...this.#headless.values()].filter(({ topic }) => topics.includes(topic))]
  }

  /** Checks that views of a projection may be read. @throws EventStoreError `log-replaced` */
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

  /** @throws LogError `events-deleted` if the offset is before the start of the log and the loss is not accepted. */
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
