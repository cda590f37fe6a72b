import { formatPosition, partitionFor, position } from '#domain'
import {
  batchOverheadBytes,
  FencedLog,
  type KafkaCluster,
  LogError,
  type LogRecord,
  recordBytesBound,
  type StoredRecord,
} from '#kafka'

import { ReplayError } from './replay-error.ts'
import type { ReplayTarget, Written } from './replay-target.ts'

/** Marks a replayed record, and says where it came from: `topic:partition:offset`. */
export const replayedHeader = 'annals_replayed'

export interface TopicTargetOptions {
  readonly cluster: KafkaCluster
  /** Where the records come from. */
  readonly source: string
  readonly target: { readonly name: string; readonly partitions: number; readonly messageBytesMax: number }
  /** How long one batch is tried. */
  readonly timeoutMs: number
}

/** Copies records byte for byte into another topic, each into the partition that Kafka's default partitioner gives its key. */
export class TopicTarget implements ReplayTarget {
  readonly #options: TopicTargetOptions
  readonly #partitions = new Map<number, TargetPartition>()

  constructor(options: TopicTargetOptions) {
    this.#options = options
  }

  async write(
    partition: number,
    records: readonly StoredRecord[],
    written: (what: Written) => void,
  ): Promise<void> {
    const { source, target } = this.#options
    const copies = records.map((record) => copyOf(record, source, partition))
    const shares = Map.groupBy(copies, ({ key }) => partitionFor(key.toString(), target.partitions))
    await Promise.all([...shares].map(([index, own]) => this.#partition(index).append(own)))
    written({ events: records.length, leftOut: [] })
  }

  /** What counts as written is acknowledged, so it is safe. */
  settle(save: (fileBytes: number) => Promise<void>): Promise<void> {
    return save(0)
  }

  close(): Promise<void> {
    for (const partition of this.#partitions.values()) partition.close()
    return Promise.resolve()
  }

  #partition(index: number): TargetPartition {
    const { cluster, target, timeoutMs } = this.#options
    const known = this.#partitions.get(index)
    if (known !== undefined) return known
    const log = new FencedLog(cluster, target.name, index, {
      appendTimeoutMs: timeoutMs,
      takeOverTimeoutMs: timeoutMs,
    })
    const partition = new TargetPartition(log, target.messageBytesMax)
    this.#partitions.set(index, partition)
    return partition
  }
}

const copyOf = (record: StoredRecord, source: string, partition: number): LogRecord => ({
  key: record.key,
  value: record.value,
  headers: [...record.headers, [replayedHeader, formatPosition(position(source, partition, record.offset))]],
  timestampMs: record.timestampMs,
})

/** One partition of the target; records of several partitions of the source may want into it at once. */
class TargetPartition {
  readonly #log: FencedLog
  readonly #batchBytesMax: number
  #owned: Promise<unknown> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(log: FencedLog, batchBytesMax: number) {
    this.#log = log
    this.#batchBytesMax = batchBytesMax
  }

  append(records: readonly LogRecord[]): Promise<void> {
    const turn = this.#turn.then(() => this.#append(records))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  close(): void {
    this.#log.close()
  }

  async #append(records: readonly LogRecord[]): Promise<void> {
    try {
      this.#owned ??= this.#log.takeOver()
      await this.#owned
      for (const batch of batchesOf(records, this.#batchBytesMax)) await this.#log.append(batch)
    } catch (error) {
      throw refusedByTarget(error)
    }
  }
}

/** As many records a batch as surely fit; one that does not is sent by itself, and the broker decides. */
export function* batchesOf(records: readonly LogRecord[], bytesMax: number): Generator<LogRecord[]> {
  let batch: LogRecord[] = []
  let bytes = batchOverheadBytes
  for (const record of records) {
    const own = recordBytesBound(record)
    if (batch.length > 0 && bytes + own > bytesMax) {
      yield batch
      batch = []
      bytes = batchOverheadBytes
    }
    batch.push(record)
    bytes += own
  }
  if (batch.length > 0) yield batch
}

/** That the target refuses what the source holds is no fault of the source. */
function refusedByTarget(error: unknown): unknown {
  if (!(error instanceof LogError)) return error
  if (error.outcome === 'fenced') {
    const message = `${error.message}: another replay, or another writer of Annals, has begun to write to that topic`
    return new ReplayError('target-refused', message, { cause: error })
  }
  if (error.kafkaCode === 'MESSAGE_TOO_LARGE') {
    const message = `${error.message}. Raise max.message.bytes of the target: records get a header more`
    return new ReplayError('target-refused', message, { cause: error })
  }
  return error
}
