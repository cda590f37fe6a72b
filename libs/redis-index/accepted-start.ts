import type { RedisConnection } from './connection.ts'
import { PartitionKeys } from './keys.ts'

/**
 * The offset before which an operator has accepted the deletion of a partition's log. Both methods reject with
 * {@link IndexUnavailableError}.
 */
export class AcceptedStart {
  readonly #redis: RedisConnection
  readonly #key: string

  constructor(redis: RedisConnection, topic: string, partition: number) {
    this.#redis = redis
    this.#key = new PartitionKeys(redis.keyPrefix, topic, partition).acceptedStart
  }

  /** 0 when nothing was accepted for the topic with this id. */
  async read(topicId: string): Promise<number> {
    const stored = (await this.#redis.call('GET', [this.#key])) as Buffer | null
    const [id, offset] = String(stored ?? '').split(' ')
    return id === topicId ? Number(offset) : 0
  }

  async accept(topicId: string, offset: number): Promise<void> {
    await this.#redis.call('SET', [this.#key, `${topicId} ${offset}`])
  }
}
