import { LRUCache } from 'lru-cache'

import { deadlineIn, unlessAborted } from '#async'
import { type AuditRecord, decodeEntry } from '#audit'
import { type KafkaCluster, LogReader, type StoredRecord } from '#kafka'

import { type JobControl, orInterrupted, PhaseProgress, timed } from '../job-control.ts'
import { mergeByTime } from '../merge-by-time.ts'
import { clusterText, type NamedCluster } from '../named-cluster.ts'
import { OperationError } from '../operation-error.ts'
import { type AuditFilter, matcherOf } from './audit-filter.ts'
import { SortedWindow } from './sorted-window.ts'

export interface AuditRequest extends AuditFilter {
  /** The first so many entries. Default: all. */
  readonly limit?: number
  /** Keeps reading: entries that are written later follow until the job is ended. */
  readonly isFollowing?: boolean
}

export interface AuditConnections {
  readonly cluster: KafkaCluster
  readonly topic: string
  /** In an error: `Kafka cluster … at …`. */
  readonly named: NamedCluster
  /** Receives each entry, in order of time. The job waits for it. */
  readonly onEntry: (record: AuditRecord) => Promise<void> | void
}

/** `interrupted`: the rest was not read. A job that follows the trail is `read` when it is ended. */
export interface AuditRead {
  readonly status: 'read' | 'interrupted'
  /** Entries that were asked for. */
  readonly entries: number
  /** Records that are no entries: somebody else writes to the topic. */
  readonly foreign: number
  /** The time of the first entry beyond the limit; absent if there is none. */
  readonly next?: string
  readonly tookMs: number
}

export type AuditControl = JobControl<'reading'>

const lookUpTimeoutMs = 30_000
/** Entries that are sorted by time: a service without Kafka writes its entries later. */
const windowEntriesMax = 10_000
/** Ids of entries that were written twice are this close. */
const idsMax = 20_000

/**
 * Reads the audit trail, oldest entries first, in bounded memory. An entry that a service could write only much later, after more than
 * 10,000 others that are asked for, comes later.
 * @throws OperationError `no-topic`, `invalid-request` for an unknown type; LogError; what `onEntry` throws.
 */
export async function readAudit(
  connections: AuditConnections,
  request: AuditRequest,
  control: AuditControl,
): Promise<AuditRead> {
  const reading = new AuditReading(connections, request, control)
  const ended = await timed(() => orInterrupted(control, () => reading.run()))
  const { entries, foreign, next } = reading
  return { ...ended, entries, foreign, ...(next !== undefined && { next }) }
}

interface PartitionRange {
  readonly partition: number
  readonly from: number
  readonly until: number
}

class AuditReading {
  entries = 0
  foreign = 0
  next: string | undefined
  readonly #connections: AuditConnections
  readonly #request: AuditRequest
  readonly #control: AuditControl
  readonly #reader: LogReader
  readonly #isAsked: (record: AuditRecord) => boolean
  readonly #ids = new LRUCache<string, true>({ max: idsMax })

  constructor(connections: AuditConnections, request: AuditRequest, control: AuditControl) {
    this.#connections = connections
    this.#request = request
    this.#control = control
    this.#reader = new LogReader(connections.cluster)
    this.#isAsked = matcherOf(request)
  }

  async run(): Promise<{ readonly status: 'read' | 'interrupted' }> {
    const ranges = await this.#ranges()
    await this.#history(ranges)
    if (this.#control.signal.aborted) return { status: 'interrupted' }
    if (this.#request.isFollowing === true && !this.#isFull) {
      await Promise.all(ranges.map((range) => this.#follow(range)))
    }
    return { status: 'read' }
  }

  get #isFull(): boolean {
    return this.next !== undefined
  }

  /** All records before the first one since a time are older. Later ones may be older too, so reading never ends before the end of the log. */
  async #ranges(): Promise<readonly PartitionRange[]> {
    const { cluster, topic, named } = this.#connections
    const { sinceMs } = this.#request
    const [found] = await cluster.existingTopics([topic], deadlineIn(lookUpTimeoutMs))
    if (found === undefined) throw noTrail(topic, named)
    return Promise.all(
      found.partitions.map(async (_, partition) => ({
        partition,
        from:
          sinceMs === undefined
            ? await this.#reader.startOffset(topic, partition)
            : await this.#reader.offsetForTime(topic, partition, Math.max(0, sinceMs)),
        until: await this.#reader.endOffset(topic, partition),
      })),
    )
  }

  async #history(ranges: readonly PartitionRange[]): Promise<void> {
    const { topic } = this.#connections
    const { signal } = this.#control
    const total = ranges.reduce((sum, { from, until }) => sum + Math.max(0, until - from), 0)
    const progress = new PhaseProgress(this.#control, { phase: 'reading', unit: 'records' }, total)
    const window = new SortedWindow<AuditRecord>(windowEntriesMax, ({ time }) => Date.parse(time))
    const merged = mergeByTime(
      ranges.map(({ partition, ...range }) => this.#reader.read(topic, partition, range)),
    )
    for (;;) {
      const step = await unlessAborted(signal, merged.next())
      if (step === undefined || signal.aborted || this.#isFull) return
      if (step.done === true) break
      progress.advance(step.value.length)
      for (const entry of this.#asked(step.value.map(({ record }) => record))) {
        await this.#emit(window.add(entry))
      }
    }
    await this.#emit(window.rest())
  }

  async #follow({ partition, until }: PartitionRange): Promise<void> {
    const { topic } = this.#connections
    for await (const { records } of this.#reader.follow(topic, partition, until, this.#control.signal)) {
      await this.#emit(this.#asked(records))
      if (this.#isFull) return
    }
  }

  /** The entries among these records that are asked for, each once. */
  #asked(records: readonly StoredRecord[]): readonly AuditRecord[] {
    return records.flatMap((record) => {
      const entry = decodeEntry(record)
      if (entry === undefined) this.foreign++
      if (entry === undefined || !this.#isAsked(entry) || this.#ids.has(entry.id)) return []
      this.#ids.set(entry.id, true)
      return [entry]
    })
  }

  async #emit(records: readonly AuditRecord[]): Promise<void> {
    for (const record of records) {
      if (this.#control.signal.aborted || this.#isFull) return
      if (this.entries === this.#request.limit) {
        this.next = record.time
        return
      }
      this.entries++
      await this.#connections.onEntry(record)
    }
  }
}

const noTrail = (topic: string, cluster: NamedCluster): OperationError =>
  new OperationError(
    'no-topic',
    `there is no topic ${topic} in ${clusterText(cluster)}: nothing was ever recorded there. Services write the trail while ANNALS_ACCESS is ` +
      'file or topic. Is that the right cluster (ANNALS_KAFKA_BROKERS) and topic (ANNALS_AUDIT_TOPIC)?',
  )
