import { setTimeout as pause } from 'node:timers/promises'

import { type Aggregate, snapshotTopic, type StreamId } from '#domain'
import { EventFormat } from '#event-log'
import { type FedEvent, isReadable } from '#event-log/records'
import type { LogReader, StoredRecord, Stray } from '#kafka'
import type { Guard, PartitionIndex } from '#redis-index'
import type { EventCodec } from '#schemas'

import { checkRecord, type LogPartition } from './check-record.ts'
import { StreamCheck } from './check-stream.ts'
import type { IdHashes } from './id-hashes.ts'
import type { Findings, VerifyPart, Where } from './finding.ts'
import { type IndexClaims, readClaims, type StreamClaim } from './index-claims.ts'
import type { StreamSample } from './sample.ts'
import { SnapshotClaims } from './snapshot-claims.ts'
import type { VerifyCounts } from './verify-counts.ts'

interface PartitionVerification {
  readonly reader: LogReader
  readonly codec: EventCodec
  readonly findings: Findings
  readonly counts: VerifyCounts
  readonly parts: ReadonlySet<VerifyPart>
  readonly sample: StreamSample
  /** Existing snapshot topics. */
  readonly snapshotTopics: ReadonlySet<string>
  readonly ids: IdHashes
  /** The time left for all owners together to bring their indexes up to the end of the log. */
  readonly patience: { leftMs: number }
  readonly advance: (offsets: number) => void
  readonly signal: AbortSignal
}

const lookPauseMs = 100

/**
 * Verifies one partition of the log, its index, and the snapshots of its streams. Index and snapshots are read before the end of the log is
 * looked up, so the log must contain all of their events; they may lag behind the log.
 * It holds the streams of this partition in memory, and 8 bytes for each event in the index.
 */
export class PartitionVerifier {
  readonly #place: LogPartition
  readonly #aggregate: Aggregate | undefined
  readonly #index: PartitionIndex
  readonly #context: PartitionVerification
  readonly #streams = new Map<StreamId, StreamCheck>()
  #claims: IndexClaims | undefined
  #snapshots: SnapshotClaims | undefined
  #lastOffset = -1
  #logStart = 0

  constructor(
    place: LogPartition,
    aggregate: Aggregate | undefined,
    index: PartitionIndex,
    context: PartitionVerification,
  ) {
    this.#place = place
    this.#aggregate = aggregate
    this.#index = index
    this.#context = context
  }

  /** @throws LogError, IndexUnavailableError, SchemaError `registry-unreachable` */
  async run(): Promise<void> {
    await this.#readClaims()
    await this.#readLog()
    if (this.#context.signal.aborted) return
    this.#endStreams()
    if (this.#has('index')) await this.#checkGuard()
    this.#context.counts.partitions++
  }

  #has(part: VerifyPart): boolean {
    return this.#context.parts.has(part)
  }

  async #readClaims(): Promise<void> {
    const { sample, codec, findings, reader, counts, snapshotTopics } = this.#context
    const policy = this.#has('snapshots') ? this.#aggregate?.snapshot : undefined
    const stateVersion = policy?.schema === undefined ? undefined : policy.stateVersion
    if (this.#has('index') || stateVersion !== undefined) {
      const { aggregateType } = this.#place
      this.#claims = await readClaims({ index: this.#index, aggregateType, sample })
    }
    if (stateVersion === undefined) return
    const snapshots = new SnapshotClaims(this.#place, { codec, findings, sample, stateVersion })
    await snapshots.addFromIndex(this.#claims?.streams ?? new Map<StreamId, StreamClaim>())
    if (snapshotTopics.has(snapshotTopic(this.#place.aggregateType))) await snapshots.addFromTopic(reader)
    counts.snapshotsOutdated += snapshots.outdated
    this.#snapshots = snapshots
  }

  async #readLog(): Promise<void> {
    const { reader, sample, signal, advance } = this.#context
    const { topic, partition } = this.#place
    const [start, until] = await Promise.all([
      reader.startOffset(topic, partition),
      reader.endOffset(topic, partition),
    ])
    if (start > 0) await this.#noteDeletedHead(start)
    let next = start
    for await (const { records, strays } of reader.readPieces(topic, partition, { from: start, until })) {
      for (const stray of strays) this.#addStray(stray)
      await this.#takeChunk(records.filter(({ key }) => sample.has(key.toString())))
      const last = records.at(-1)?.offset
      if (last === undefined) continue
      advance(last + 1 - next)
      next = last + 1
      this.#lastOffset = last
      if (signal.aborted) return
    }
    advance(until - next)
    this.#checkGuardWithin(until)
  }

  async #noteDeletedHead(start: number): Promise<void> {
    this.#logStart = start
    const { topicId } = this.#place
    if ((await this.#index.acceptedStart(topicId)) >= start) {
      this.#context.counts.headsAccepted++
      return
    }
    const message =
      `the log starts at offset ${start}: older events are lost. ` +
      'Restore a backup, or accept the loss (docs/operations/failover.md)'
    this.#report('log', 'events-deleted', message, {})
  }

  /** Reports records that no owner appended. They are in the log, but are not events. */
  #addStray({ firstOffset, lastOffset, producerId, epoch, held }: Stray): void {
    const count = lastOffset - firstOffset + 1
    this.#context.counts.strays += count
    const owner = held === undefined ? 'no owner' : `producer ${held.producerId}, epoch ${held.epoch}`
    const message =
      `${count} ${count === 1 ? 'stray record' : 'stray records'}: producer ${producerId}, epoch ${epoch}, ` +
      `wrote while ${owner} owned the partition`
    this.#report('log', 'stray-batch', message, { offset: firstOffset, lastOffset })
  }

  async #takeChunk(records: readonly StoredRecord[]): Promise<void> {
    const { codec, counts } = this.#context
    const { topic, partition } = this.#place
    const isDecoded = this.#has('log') || this.#has('snapshots')
    const decoded = isDecoded
      ? await new EventFormat(codec).decodeEach(topic, partition, records)
      : records.map(() => undefined)
    counts.events += records.length
    for (const [index, record] of records.entries()) this.#take(record, decoded[index])
  }

  #take(record: StoredRecord, decoded: FedEvent | undefined): void {
    const { event, problems } = checkRecord(record, this.#place)
    const at = { offset: record.offset, streamId: record.key.toString() }
    for (const { code, message } of problems) this.#report('log', code, message, at)
    if (event === undefined) return
    const where = { offset: event.offset, streamId: event.streamId, version: event.version }
    if (problems.length === 0 && decoded !== undefined && !isReadable(decoded)) {
      this.#report('log', 'undecodable', decoded.unreadable.message, where)
    }
    if (this.#has('log')) this.#context.ids.add(event.streamId, event.id)
    const readable = decoded !== undefined && isReadable(decoded) ? decoded : undefined
    for (const { part, code, message } of this.#streamOf(event.streamId).next(event, readable)) {
      this.#report(part, code, message, where)
    }
  }

  #streamOf(streamId: StreamId): StreamCheck {
    const known = this.#streams.get(streamId)
    if (known !== undefined) return known
    const isIndexed =
      this.#has('index') && this.#claims !== undefined && !this.#claims.unreadable.has(streamId)
    const check = new StreamCheck({
      index: isIndexed ? this.#claims?.streams.get(streamId) : null,
      indexedUntil: this.#claims?.guard.nextOffset ?? 0,
      logStart: this.#logStart,
      snapshots: this.#snapshots?.of(streamId) ?? [],
      ...(this.#aggregate && { folding: { aggregate: this.#aggregate, codec: this.#context.codec } }),
    })
    this.#streams.set(streamId, check)
    return check
  }

  #endStreams(): void {
    for (const streamId of this.#claims?.streams.keys() ?? []) this.#streamOf(streamId)
    for (const streamId of this.#snapshots?.streams ?? []) this.#streamOf(streamId)
    for (const [streamId, reason] of this.#claims?.unreadable ?? []) {
      this.#report('index', 'index-unreadable', `its index entry cannot be read: ${reason}`, {
        streamId,
      })
    }
    for (const [streamId, check] of this.#streams) {
      for (const { part, code, message } of check.end()) this.#report(part, code, message, { streamId })
      if (check.version > 0) this.#context.counts.streams++
      this.#context.counts.snapshots += check.snapshotsEqual
    }
  }

  /** An index of another topic, or past the end of the log, belongs to another log. */
  #checkGuardWithin(end: number): void {
    const guard = this.#claims?.guard
    if (guard === undefined) return
    const { topicId } = this.#place
    if (guard.topicId !== topicId) {
      const message = `the index belongs to another topic of this name (${guard.topicId}, the topic is ${topicId})`
      this.#report('index', 'index-of-another-log', message, {})
    } else if (guard.nextOffset > end) {
      const message = `the index is at offset ${guard.nextOffset}, the log ends at ${end}`
      this.#report('index', 'index-beyond-log', message, {})
    }
  }

  /** Waits until the index has caught up with the log, which takes a moment if the partition has an owner. */
  async #checkGuard(): Promise<void> {
    let guard = this.#claims?.guard
    while (
      (guard === undefined || guard.nextOffset <= this.#lastOffset) &&
      this.#context.patience.leftMs > 0
    ) {
      await pause(lookPauseMs)
      this.#context.patience.leftMs -= lookPauseMs
      guard = await this.#index.guard()
    }
    if (this.#lastOffset < 0 || (this.#claims !== undefined && isUpTo(guard, this.#lastOffset))) return
    this.#report('index', ...this.#lateness(guard), {})
  }

  #lateness(guard: Guard | undefined): [code: string, message: string] {
    if (guard === undefined)
      return ['index-missing', 'there is no index: the writer that owns the partition builds it']
    if (this.#claims === undefined)
      return ['index-behind', 'the index was being built while it was read: verify again']
    return [
      'index-behind',
      `the index is at offset ${guard.nextOffset}, the last event of the log at ${this.#lastOffset}`,
    ]
  }

  #report(part: VerifyPart, code: string, message: string, where: Where): void {
    if (!this.#has(part)) return
    const { topic, partition } = this.#place
    this.#context.findings.add(part, code, message, { topic, partition, ...where })
  }
}

const isUpTo = (guard: Guard | undefined, offset: number): boolean =>
  guard !== undefined && guard.nextOffset > offset
