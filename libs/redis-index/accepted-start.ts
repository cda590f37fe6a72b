import type { RedisConnection } from './connection.ts'
import { PartitionKeys } from './keys.ts'

/**
 * Up to where an operator has accepted that the head of a partition's log was deleted. Both methods reject with
 * {@link IndexUnavailableError}.
 */
export class AcceptedStart {
  readonly #redis: RedisConnection
  readonly #key: string

  constructor(redis: RedisConnection, topic: string, partition: number) {
    this.#redis = redis
    this.#key = new PartitionKeys(redis.keyPrefix, topic, partition).acceptedStart
  }

  /** 0 where nothing was accepted for the topic of this id. */
  async read(topicId: string): Promise<number> {
    const stored = (await this.#redis.call('GET', [this.#key])) as Buffer | null
    const [id, offset] = String(stored ?? '').split(' ')
    return id === topicId ? Number(offset) : 0
  }

  async accept(topicId: string, offset: number): Promise<void> {
    await this.#redis.call('SET', [this.#key, `${topicId} ${offset}`])
  }
}
