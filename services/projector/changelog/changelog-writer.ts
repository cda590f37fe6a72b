import { partitionFor, projectionTopic } from '#domain'
import {
  batchOverheadBytes,
  FencedLog,
  type KafkaCluster,
  LogError,
  type LogRecord,
  recordBytesBound,
} from '#kafka'
import { endsTerm, TakeOverPace } from '#ownership'
import type { UnpublishedView } from '#projections'

import { type ViewCodec, ViewFormat, type ViewSchema } from './view-format.ts'
import { toViewRecord } from './view-record.ts'

export interface ChangelogWriterParts {
  readonly cluster: KafkaCluster
  readonly codec: ViewCodec
  readonly projection: ViewSchema
  /** Partitions of the topic. */
  readonly partitions: number
  /** The topic's `max.message.bytes`. */
  readonly messageBytesMax: number
  /** Default: a fenced log of the topic's partition. */
  readonly openLog?: (partition: number) => ChangelogLog
}

/** The methods of a log that the writer uses. */
type ChangelogLog = Pick<FencedLog, 'partition' | 'takeOver' | 'append' | 'renew'>

/** A view that can never be published as it is. */
export interface RefusedView {
  readonly view: UnpublishedView
  /** It does not match its schema, or is too large for the topic. */
  readonly reason: Error
}

const batchRecordsMax = 500
/** Short, because a stopping publisher waits for appends in progress. Failures are retried anyway. */
const timeouts = { appendTimeoutMs: 5_000, takeOverTimeoutMs: 5_000 }

/** One partition of the topic. */
interface Part {
  readonly log: ChangelogLog
  readonly pace: TakeOverPace
  /** Whether it is owned. Views read since the take-over are then newer than all that other instances have published. */
  isOwned: boolean
}

/**
 * Publishes the views of one projection as the only publisher, behind a fence for each partition of the topic
 * `projections.<name>`. After an error of {@link endsWriter} this writer is unusable.
 */
export class ChangelogWriter {
  readonly #projection: ViewSchema
  readonly #format: ViewFormat
  readonly #bytesMax: number
  readonly #partitions: readonly Part[]

  constructor(parts: ChangelogWriterParts) {
    const { cluster, codec, projection, partitions, messageBytesMax } = parts
    const topic = projectionTopic(projection.name)
    const openLog =
      parts.openLog ?? ((partition: number) => new FencedLog(cluster, topic, partition, timeouts))
    this.#projection = projection
    this.#format = new ViewFormat(codec)
    this.#bytesMax = messageBytesMax
    this.#partitions = Array.from({ length: partitions }, (_, partition) => ({
      log: openLog(partition),
      pace: new TakeOverPace(),
      isOwned: false,
    }))
  }

  /**
   * Takes over the partitions that are not owned: at first all, later those with an append of unknown outcome. After
   * repeated failures it rejects with `unavailable` until the next take-over is due, see {@link TakeOverPace}. Views
   * must be read from the store only afterwards, so that an older view never follows a newer one.
   * @throws LogError `fenced`, `log-replaced`, `unavailable`, `refused`
   */
  async takeOver(): Promise<void> {
    await everyOne(
      this.#partitions.filter(({ isOwned }) => !isOwned),
      async (part) => {
        const { waitMs } = part.pace
        if (waitMs > 0) throw this.#pausing(part, waitMs)
        part.pace.spend()
        await part.log.takeOver()
        part.isOwned = true
      },
    )
  }

  #pausing({ log }: Part, waitMs: number): LogError {
    const place = `${projectionTopic(this.#projection.name)}/${log.partition}`
    const seconds = Math.ceil(waitMs / 1_000)
    return new LogError(
      'unavailable',
      `the last take-overs of ${place} failed: the next one is in ${seconds} s`,
    )
  }

  /**
   * Appends the views, each to the partition of its key. If it rejects, any of them may be in the topic; publishing them
   * again is harmless.
   * @param generation of the views.
   * @returns the rejected views with the reasons.
   * @throws LogError `fenced`, `log-replaced`; after any other outcome, take over and read the views again.
   */
  async publish(generation: string, views: readonly UnpublishedView[]): Promise<readonly RefusedView[]> {
    const refused: RefusedView[] = []
    const records = this.#partitions.map((): LogRecord[] => [])
    for (const view of views) {
      try {
        records[partitionFor(view.key, records.length)]?.push(this.#record(generation, view))
      } catch (error) {
        refused.push({ view, reason: error instanceof Error ? error : new Error(String(error)) })
      }
    }
    await everyOne(this.#partitions, (part) => this.#append(part, records[part.log.partition] ?? []))
    return refused
  }

  /** Renews the fences, so that no broker forgets them while nothing is published. @throws LogError as `takeOver` does */
  renew(): Promise<void> {
    return everyOne(this.#partitions, (part) => noting(part, () => part.log.renew()))
  }

  #record(generation: string, view: UnpublishedView): LogRecord {
    const value = view.json === null ? null : this.#format.encode(this.#projection, view.json)
    const record = toViewRecord(view, generation, value)
    const bytes = batchOverheadBytes + recordBytesBound(record)
    if (bytes <= this.#bytesMax) return record
    throw new Error(
      `it has ${bytes} bytes, and the topic accepts at most ${this.#bytesMax}: raise ANNALS_KAFKA_MESSAGE_BYTES_MAX and the topic's max.message.bytes, or lower the projection's bytesMax`,
    )
  }

  async #append(part: Part, records: readonly LogRecord[]): Promise<void> {
    for (const batch of batchesOf(records, this.#bytesMax)) {
      await noting(part, () => part.log.append(batch))
    }
  }
}

/**
 * Whether an error ends its writer: another instance publishes the projection (`fenced`), or the topic was deleted and
 * created again (`log-replaced`). Only a new writer may take over again.
 */
export const endsWriter = (error: unknown): error is LogError =>
  error instanceof LogError && (error.outcome === 'fenced' || error.outcome === 'log-replaced')

/** After an error that ends the term a partition must be taken over again; one whose log is unusable reports it then. */
async function noting(part: Part, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (endsTerm(error)) part.isOwned = false
    throw error
  }
}

/** Divides records into batches of bounded number and size. Each record fits into a batch. */
export function batchesOf(records: readonly LogRecord[], bytesMax: number): LogRecord[][] {
  const batches: LogRecord[][] = []
  let batch: LogRecord[] = []
  let bytes = batchOverheadBytes
  for (const record of records) {
    const more = recordBytesBound(record)
    if (batch.length > 0 && (batch.length >= batchRecordsMax || bytes + more > bytesMax)) {
      batches.push(batch)
      batch = []
      bytes = batchOverheadBytes
    }
    batch.push(record)
    bytes += more
  }
  return batch.length > 0 ? [...batches, batch] : batches
}

/** Runs work for all items concurrently and waits until all has ended. An error that ends the writer takes precedence. */
async function everyOne<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const settled = await Promise.allSettled(all.map(run))
  const failures = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
  if (failures.length > 0) throw failures.find(endsWriter) ?? failures[0]
}
