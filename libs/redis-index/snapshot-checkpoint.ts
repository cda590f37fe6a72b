import type { RedisConnection } from './connection.ts'
import { PartitionKeys } from './keys.ts'
import { MessagePackWriter } from './message-pack.ts'
import { script } from './scripts/script.ts'

/** Keys: checkpoint. Replaces the value if it is still what the caller saw; a missing one counts as empty text. */
const replaceScript = script(`
local seen, text = unpack(cmsgpack.unpack(ARGV[1]))
if (redis.call('GET', KEYS[1]) or '') ~= seen then return 0 end
redis.call('SET', KEYS[1], text)
return 1
`)

/**
 * The snapshotter's checkpoint of a partition, stored beside the snapshots: an opaque text that changes by compare-and-set, so
 * that no concurrent change is overwritten. It is lost when Redis is emptied or the index dropped. All methods reject with {@link IndexUnavailableError}.
 */
export class SnapshotCheckpoint {
  readonly #redis: RedisConnection
  readonly #key: string

  constructor(redis: RedisConnection, topic: string, partition: number) {
    this.#redis = redis
    this.#key = new PartitionKeys(redis.keyPrefix, topic, partition).snapshotCheckpoint
  }

  /** Empty when there is none. */
  async read(): Promise<string> {
    const text = (await this.#redis.call('GET', [this.#key])) as Buffer | null
    return text?.toString() ?? ''
  }

  /** @returns false when it has changed since it was seen; then it stays. */
  async replace(seen: string, text: string): Promise<boolean> {
    const writer = new MessagePackWriter()
    writer.texts([seen, text])
    return (await this.#redis.run(replaceScript, [this.#key], writer.finish())) === 1
  }
}
