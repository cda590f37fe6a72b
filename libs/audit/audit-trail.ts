import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { Backoff, deadlineIn, pause, Signal, within } from '#async'
import type { LogRecord } from '#kafka'
import { reportSafely } from '#observability'

import type { AuditEntry, AuditSource } from './audit-entry.ts'
import { AuditMetrics, type DropReason } from './audit-metrics.ts'
import { AuditQueue, type QueueBounds } from './audit-queue.ts'
import { type AuditSink, isTooLarge } from './audit-topic.ts'
import { encodeEntry } from './encode-entry.ts'
import { FloodGate, type FloodLimits, floodLimits } from './flood-gate.ts'

interface AuditTrailOptions {
  readonly sink: AuditSink
  readonly source: AuditSource
  readonly metrics: Registry
  readonly logger: Pick<Logger, 'warn' | 'info'>
  /** Default: 10,000 entries and 16 MiB. */
  readonly queue?: QueueBounds
  readonly flood?: FloodLimits
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

const queueBounds: QueueBounds = { entriesMax: 10_000, bytesMax: 16 << 20 }
const batchRecordsMax = 500
const batchBytesMax = 256 * 1_024
const retryDelays = { delayMsMin: 100, delayMsMax: 10_000 }
/** How long a process that ends waits between two attempts, at most. */
const closingRetryMs = 200
/** How often denials that were counted are looked for. */
const tickMs = 1_000
const warningEveryMs = 60_000

interface Dropped {
  count: number
  readonly sinceMs: number
}

/**
 * The audit trail of a process. Entries wait in a bounded queue and are written in the background, in batches, until all in-sync replicas
 * have them. An outage of Kafka delays them; beyond the bound they are dropped, counted, and their number is recorded afterwards.
 */
export class AuditTrail {
  readonly #sink: AuditSink
  readonly #source: AuditSource
  readonly #logger: AuditTrailOptions['logger']
  readonly #now: () => number
  readonly #queue: AuditQueue
  readonly #gate: FloodGate
  readonly #metrics: AuditMetrics
  readonly #wake = new Signal()
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #backoff = new Backoff(retryDelays)
  #recordsMax = batchRecordsMax
  #dropped: Dropped | undefined
  #failingSinceMs: number | undefined
  #warnedAtMs = -Infinity
  #closed: Promise<void> | undefined

  constructor(options: AuditTrailOptions) {
    const {
      sink,
      source,
      metrics,
      logger,
      queue = queueBounds,
      flood = floodLimits,
      now = Date.now,
    } = options
    this.#sink = sink
    this.#source = source
    this.#logger = logger
    this.#now = now
    this.#queue = new AuditQueue(queue)
    this.#gate = new FloodGate(flood, now())
    this.#metrics = new AuditMetrics(metrics, () => this.#queue.length)
    this.record({ type: 'annals.audit.started', outcome: 'success' })
    this.#running = this.#run()
  }

  /** Records an entry. Neither waits nor throws; after {@link close} the entry counts as dropped. */
  record(entry: AuditEntry): void {
    const nowMs = this.#now()
    if (entry.outcome === 'denied') this.#metrics.denied(entry)
    if (this.#closed !== undefined) {
      this.#drop('closed')
      return
    }
    const timed = { ...entry, timeMs: entry.timeMs ?? nowMs }
    if (entry.outcome !== 'denied' || this.#gate.admits(timed, nowMs)) this.#add(timed)
  }

  /**
   * Writes what is waiting, and ends. What cannot be written in time is lost, counted and logged.
   * @param timeoutMs default 5,000.
   */
  close(timeoutMs = 5_000): Promise<void> {
    this.#closed ??= this.#end(timeoutMs)
    return this.#closed
  }

  async #end(timeoutMs: number): Promise<void> {
    for (const entry of this.#gate.due(Infinity)) this.#add(entry)
    this.#addDropped()
    this.#add({ type: 'annals.audit.stopped', outcome: 'success', timeMs: this.#now() })
    this.#wake.notify()
    await within(deadlineIn(timeoutMs), this.#running, () => new Error('late')).catch(() => undefined)
    this.#stop.abort()
    const lost = this.#queue.length
    if (lost === 0) return
    this.#metrics.dropped('closed', lost)
    reportSafely(() => this.#logger.warn({ lost }, 'the process ends before Kafka took all audit entries'))
  }

  #add(entry: AuditEntry): void {
    const record = this.#encoded(entry)
    if (record === undefined) this.#drop('invalid')
    else if (this.#queue.add(record, entry.outcome === 'denied')) this.#wake.notify()
    else this.#drop('queue-full')
  }

  /** Undefined for an entry that has no form, such as one with an impossible time. */
  #encoded(entry: AuditEntry): LogRecord | undefined {
    try {
      return encodeEntry(entry, this.#source)
    } catch {
      return undefined
    }
  }

  #drop(reason: DropReason): void {
    this.#metrics.dropped(reason, 1)
    if (reason === 'closed') return
    this.#dropped ??= { count: 0, sinceMs: this.#now() }
    this.#dropped.count++
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#addCounted()
      const batch = this.#queue.head(this.#recordsMax, batchBytesMax)
      if (batch.length > 0) await this.#write(batch)
      else if (this.#closed !== undefined) return
      else await this.#wake.wait(tickMs, this.#stop.signal)
    }
  }

  #addCounted(): void {
    for (const entry of this.#gate.due(this.#now())) this.#add(entry)
  }

  async #write(batch: readonly LogRecord[]): Promise<void> {
    try {
      await this.#sink.write(batch)
    } catch (error) {
      await this.#failed(error, batch.length)
      return
    }
    this.#queue.remove(batch.length)
    this.#metrics.written(batch.length)
    this.#recordsMax = Math.min(batchRecordsMax, 2 * this.#recordsMax)
    this.#backoff.reset()
    this.#addDropped()
    if (this.#failingSinceMs === undefined) return
    const outageMs = this.#now() - this.#failingSinceMs
    this.#failingSinceMs = undefined
    reportSafely(() => this.#logger.info({ outageMs }, 'the audit trail is written again'))
  }

  /** Records that entries were dropped, once there is room again. */
  #addDropped(): void {
    if (this.#dropped === undefined) return
    const { count, sinceMs } = this.#dropped
    const reason = `${count} entries were dropped since ${new Date(sinceMs).toISOString()}: the queue was full`
    const entry: AuditEntry = {
      ...{ type: 'annals.audit.entries-dropped', outcome: 'failure', reason, count, sinceMs },
      timeMs: this.#now(),
    }
    if (this.#queue.add(encodeEntry(entry, this.#source), false)) this.#dropped = undefined
  }

  async #failed(error: unknown, records: number): Promise<void> {
    if (isTooLarge(error)) {
      if (records > 1) this.#recordsMax = Math.ceil(records / 2)
      else this.#refused()
      return
    }
    this.#failingSinceMs ??= this.#now()
    this.#warn(error)
    const delayMs = this.#backoff.nextMs()
    const isClosing = this.#closed !== undefined
    await pause(isClosing ? Math.min(delayMs, closingRetryMs) : delayMs, this.#stop.signal)
  }

  /** The topic does not take even a single entry. */
  #refused(): void {
    this.#queue.remove(1)
    this.#drop('too-large')
  }

  #warn(error: unknown): void {
    const nowMs = this.#now()
    if (nowMs - this.#warnedAtMs < warningEveryMs) return
    this.#warnedAtMs = nowMs
    const waiting = this.#queue.length
    reportSafely(() =>
      this.#logger.warn({ err: error, waiting }, 'the audit trail cannot be written; it is tried again'),
    )
  }
}
