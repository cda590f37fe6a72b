import { batchOverheadBytes, FencedLog, type KafkaCluster, recordBytesBound, type StoredRecord } from '#kafka'

const batchRecordsMax = 1_000
const batchBytesMax = 512 << 10

/** Appends unchanged records to one partition, in batches and fenced: if two processes copy concurrently, the earlier one fails. */
export class RecordAppender {
  readonly #log: FencedLog
  readonly #bytesMax: number
  #waiting: StoredRecord[] = []
  #bytes = batchOverheadBytes

  private constructor(log: FencedLog, bytesMax: number) {
    this.#log = log
    this.#bytesMax = bytesMax
  }

  /** @param messageBytesMax the maximum size of a batch of the topic. @throws LogError */
  static async open(
    cluster: KafkaCluster,
    topic: string,
    partition: number,
    messageBytesMax: number,
  ): Promise<RecordAppender> {
    const log = new FencedLog(cluster, topic, partition)
    await log.takeOver()
    return new RecordAppender(log, Math.min(batchBytesMax, messageBytesMax))
  }

  /** @throws LogError */
  async add(record: StoredRecord): Promise<void> {
    const bytes = recordBytesBound(record)
    const isFull = this.#waiting.length === batchRecordsMax || this.#bytes + bytes > this.#bytesMax
    if (isFull) await this.flush()
    this.#waiting.push(record)
    this.#bytes += bytes
  }

  /** @throws LogError */
  async flush(): Promise<void> {
    if (this.#waiting.length > 0) await this.#log.append(this.#waiting)
    this.#waiting = []
    this.#bytes = batchOverheadBytes
  }

  close(): void {
    this.#log.close()
  }
}
