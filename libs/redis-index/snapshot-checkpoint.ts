import type { RedisConnection } from './connection.ts'
import { PartitionKeys } from './keys.ts'
import { MessagePackWriter } from './message-pack.ts'
import { script } from './scripts/script.ts'

/** Keys: checkpoint. Replaces what stands there, if it still is what the caller saw; nothing is the empty text. */
const replaceScript = script(`
local seen, text = unpack(cmsgpack.unpack(ARGV[1]))
if (redis.call('GET', KEYS[1]) or '') ~= seen then return 0 end
redis.call('SET', KEYS[1], text)
return 1
`)

/**
 * How far the snapshots of a partition have been taken, kept beside them: a text that is opaque here and changes by compare-and-set, so
 * that nobody moves it unseen. It is gone where Redis was emptied or the index dropped. All methods reject with {@link IndexUnavailableError}.
 */
export class SnapshotCheckpoint {
  readonly #redis: RedisConnection
  readonly #key: string

  constructor(redis: RedisConnection, topic: string, partition: number) {
    this.#redis = redis
    this.#key = new PartitionKeys(redis.keyPrefix, topic, partition).snapshotCheckpoint
  }

  /** Empty where there is none. */
  async read(): Promise<string> {
    const text = (await this.#redis.call('GET', [this.#key])) as Buffer | null
    return text?.toString() ?? ''
  }

  /** @returns false where it is not as seen any more; then nothing is changed. */
  async replace(seen: string, text: string): Promise<boolean> {
    const writer = new MessagePackWriter()
    writer.texts([seen, text])
    return (await this.#redis.run(replaceScript, [this.#key], writer.finish())) === 1
  }
}
