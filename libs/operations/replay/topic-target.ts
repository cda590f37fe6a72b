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

import { OperationError } from '../operation-error.ts'
import type { OnWritten, ReplayTarget } from './replay-target.ts'

/** The header of replayed records. Its value is the original position: `topic:partition:offset`. */
const replayedHeader = 'annals_replayed'

interface TopicTargetOptions {
  readonly cluster: KafkaCluster
  /** The topic of the original records. */
  readonly source: string
  readonly target: { readonly name: string; readonly partitions: number; readonly messageBytesMax: number }
  /** The time-out of one batch. */
  readonly timeoutMs: number
}

/** Copies records byte for byte to another topic, each to the partition that Kafka's default partitioner assigns to its key. */
export class TopicTarget implements ReplayTarget {
  readonly #options: TopicTargetOptions
  readonly #partitions = new Map<number, TargetPartition>()

  constructor(options: TopicTargetOptions) {
    this.#options = options
  }

  async write(partition: number, records: readonly StoredRecord[], onWritten: OnWritten): Promise<void> {
    const { source, target } = this.#options
    const copies = records.map((record) => copyOf(record, source, partition))
    const shares = Map.groupBy(copies, ({ key }) => partitionFor(key.toString(), target.partitions))
    await Promise.all([...shares].map(([index, own]) => this.#partition(index).append(own)))
    onWritten({ events: records.length, leftOut: [] })
  }

  /** Written records are acknowledged, so they are durable. */
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

/** One partition of the target. Several partitions of the source may append to it concurrently. */
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

/** Batches of records that fit `bytesMax`. A larger record gets its own batch, and the broker decides. */
function* batchesOf(records: readonly LogRecord[], bytesMax: number): Generator<LogRecord[]> {
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

/** Turns a rejection by the target into an OperationError with advice. */
function refusedByTarget(error: unknown): unknown {
  if (!(error instanceof LogError)) return error
  if (error.outcome === 'fenced') {
    const message = `${error.message}: another replay or another writer of Annals started to write to that topic`
    return new OperationError('target-refused', message, { cause: error })
  }
  if (error.kafkaCode === 'MESSAGE_TOO_LARGE') {
    const message = `${error.message}. Raise max.message.bytes of the target: a replay adds a header to each record`
    return new OperationError('target-refused', message, { cause: error })
  }
  return error
}
