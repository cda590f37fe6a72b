import { aggregateIdOf, noVersion, type StreamId, streamIdOf, type Version } from '#domain'

import { AcceptedStart } from './accepted-start.ts'
import { type Ask, askItems, type Checked, knownIds, type Place, writeAsks } from './asks.ts'
import { groupByStream, type StreamEntries, streamItems, writeStreams } from './commit-argument.ts'
import type { RedisConnection } from './connection.ts'
import { IndexMismatchError } from './errors.ts'
import { encodeEventRun } from './event-run.ts'
import type { Guard, IndexEntry, TermStart } from './index-entry.ts'
import { PartitionKeys } from './keys.ts'
import {
  checkScript,
  claimScript,
  commitScript,
  dropGuardScript,
  dropKeptScript,
  infoScript,
  inspectScript,
  keepReadScript,
  loadScript,
  offsetsScript,
  saveSnapshotScript,
  termBeforeScript,
} from './lua.ts'
import { type InspectedParts, inspectedStream, type InspectedStream } from './inspected-stream.ts'
import { MessagePackWriter } from './message-pack.ts'
import { decodeSnapshot, encodeSnapshot, type StoredSnapshot } from './snapshot.ts'
import { chunkField, chunkOf, decodeStreamRecord, offsetsIn } from './stream-record.ts'
import { assembleLoad, assembleRecent, type LoadedFromIndex } from './stream-parts.ts'
import { parseTerm, startText, type Term, termOfStart, termText } from './term-text.ts'

export interface PartitionIndexOptions {
  readonly topic: string
  readonly partition: number
  /** The type of the aggregates whose events the topic holds. */
  readonly aggregateType: string
  /** Events a tail keeps at least, where the stream has them; up to twice as many for a while. */
  readonly tailEventsMax: number
  /** How long tails, snapshots and streams lately read stay after they were last written. */
  readonly tailTtlSeconds: number
  /** The ids of at least so many latest events of the partition are remembered; at most twice as many. */
  readonly rememberedIdsMax: number
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number
}

export interface IndexedStreamInfo {
  readonly version: Version
  readonly snapshotVersion?: Version
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
}

export interface CommitOptions {
  readonly tails?: boolean
  readonly headless?: boolean
  readonly starts?: readonly TermStart[]
}

/**
 * What Redis holds for one partition of an event topic. Every method is one round trip unless it says otherwise, and rejects
 * with {@link IndexUnavailableError} while Redis does not answer. Those that take a guard answer `guard-lost` where it does not hold.
 */
export class PartitionIndex {
  readonly #redis: RedisConnection
  readonly #options: PartitionIndexOptions
  readonly #keys: PartitionKeys
  readonly #accepted: AcceptedStart

  constructor(redis: RedisConnection, options: PartitionIndexOptions) {
    this.#accepted = new AcceptedStart(redis, options.topic, options.partition)
    this.#redis = redis
    this.#options = options
    this.#keys = new PartitionKeys(redis.keyPrefix, options.topic, options.partition)
  }

  /** What Redis holds now; `undefined` for an index that is empty, or was found wrong and awaits its rebuild. */
  async guard(): Promise<Guard | undefined> {
    const fields = ['topicId', 'term', 'nextOffset']
    const [topicId, term, nextOffset] = (await this.#redis.call('HMGET', [
      this.#keys.guard,
      ...fields,
    ])) as Buffers
    if (topicId == null || term == null || nextOffset == null) return undefined
    const owner = parseTerm(String(term))
    return owner && { topicId: String(topicId), ...owner, nextOffset: Number(nextOffset) }
  }

  /**
   * Makes the guard's term the owner, where topic and next offset are as it says; an empty index is claimed at offset 0.
   * @param seen what {@link guard} told: an index that has got another owner since is not taken from it.
   */
  async claim(guard: Guard, seen?: Guard): Promise<'guard-lost' | Guard> {
    const writer = this.#guarded(guard, 1)
    writer.text(seen === undefined ? '' : termText(seen))
    const claimed = await this.#redis.run(claimScript, [this.#keys.guard], writer.finish())
    return claimed === 1 ? guard : 'guard-lost'
  }

  /** Deletes all of the partition, whoever holds it. */
  async drop(): Promise<void> {
    await this.#redis.call('UNLINK', [this.#keys.guard])
    await this.#dropRest()
  }

  /** Deletes all of the partition where its guard is still what {@link guard} told: an index that has got another owner since stays. */
  async dropSeen(seen: Guard | undefined): Promise<'guard-lost' | 'dropped'> {
    const writer = new MessagePackWriter()
    writer.texts(seen === undefined ? ['', '', ''] : [seen.topicId, termText(seen), String(seen.nextOffset)])
    const dropped = await this.#redis.run(dropGuardScript, [this.#keys.guard], writer.finish())
    if (dropped !== 1) return 'guard-lost'
    await this.#dropRest()
    return 'dropped'
  }

  /** In many small steps. The guard went first, so nobody takes what is left for an index; who begins a new one meanwhile has dropped it, too. */
  async #dropRest(): Promise<void> {
    for await (const batch of this.#scan()) {
      const keys = batch.flatMap(([aggregateId]) => this.#keys.evictable(aggregateId))
      if (keys.length > 0) await this.#redis.call('UNLINK', keys)
    }
    const keys = [...this.#keys.kept, this.#keys.terms, this.#keys.snapshotCheckpoint]
    await this.#redis.run(dropKeptScript, keys, Buffer.alloc(0))
  }

  /**
   * The term that holds at an offset: of the last marker before it.
   * @param topicId of the topic that is read: the index may be of another log.
   * @returns undefined where the index does not know.
   */
  async termBefore(topicId: string, offset: number): Promise<Term | undefined> {
    const writer = new MessagePackWriter()
    writer.texts([topicId, String(offset)])
    const keys = [this.#keys.guard, this.#keys.terms]
    const found = await this.#redis.run(termBeforeScript, keys, writer.finish())
    return found === null ? undefined : termOfStart((found as Buffer).toString())
  }

  /**
   * Accepts for good that a log no longer has what is before an offset: a rebuild then serves what is left. An operator decides that.
   * @param topicId of the topic; it holds for no other.
   */
  async acceptDeletedBefore(topicId: string, offset: number): Promise<void> {
    await this.#accepted.accept(topicId, offset)
  }

  /** Up to where {@link acceptDeletedBefore} was called for this topic; 0 where it was not. */
  acceptedStart(topicId: string): Promise<number> {
    return this.#accepted.read(topicId)
  }

  /** The versions of streams, and which of the event ids they have already. */
  async check(guard: Guard, asks: readonly Ask[]): Promise<'guard-lost' | Checked> {
    const writer = this.#guarded(guard, askItems)
    writeAsks(writer, asks)
    const reply = await this.#redis.run(checkScript, this.#keys.kept, writer.finish())
    if (!Array.isArray(reply)) return 'guard-lost'
    const [versions, hits] = reply as [Version[], (number | Buffer)[]]
    return { versions, known: knownIds(asks, hits) }
  }

  /**
   * Applies events that are in the log, all or none, and moves the guard on to `nextOffset`. One call; may be sent before the
   * answer to the one before it has come. When an answer is lost, {@link guard} tells which of the two offsets holds.
   * @param options.tails whether the events go into the tails of their streams, which end here otherwise; a rebuild is faster without.
   * @param options.headless whether a stream may begin with a later version than 1: the head of its log was deleted.
   * @param options.starts terms that began in this part of the log.
   * @throws IndexMismatchError where an event does not follow what the index holds of its stream.
   */
  async commit(
    guard: Guard,
    entries: readonly IndexEntry[],
    nextOffset: number,
    { tails = true, headless = false, starts = [] }: CommitOptions = {},
  ): Promise<'guard-lost' | Guard> {
    const streams = groupByStream(entries)
    const keys = streams.map(({ aggregateId }) => this.#keys.tail(aggregateId))
    const argument = this.#commitArgument(guard, streams, nextOffset, { tails, headless, starts })
    const allKeys = [...this.#keys.kept, this.#keys.terms, ...keys]
    const reply = await this.#redis.run(commitScript, allKeys, argument)
    if (Array.isArray(reply)) throw this.#mismatch(streams, reply as [Buffer, number])
    return reply === 1 ? { ...guard, nextOffset } : 'guard-lost'
  }

  /**
   * What is needed to rebuild an aggregate, as far as Redis has it.
   * @param stateVersion only a snapshot of this state version is used; without it, none is.
   */
  async load(
    guard: Guard,
    streamId: StreamId,
    { stateVersion }: { readonly stateVersion?: number } = {},
  ): Promise<'guard-lost' | LoadedFromIndex> {
    return this.#read(guard, streamId, stateVersion ?? 0, 1, assembleLoad)
  }

  /** The events of these versions, both inclusive and within the stream; `undefined` for each that Redis does not have. */
  async recent(
    guard: Guard,
    streamId: StreamId,
    fromVersion: number,
    toVersion: number,
  ): Promise<'guard-lost' | (Buffer | undefined)[]> {
    return this.#read(guard, streamId, 0, fromVersion, (parts) =>
      assembleRecent(parts, fromVersion, toVersion),
    )
  }

  /** Where in the log these versions are, both inclusive and within the stream. */
  async offsets(
    guard: Guard,
    streamId: StreamId,
    fromVersion: number,
    toVersion: number,
  ): Promise<'guard-lost' | Place[]> {
    const name = aggregateIdOf(streamId)
    const first = chunkOf(Math.max(1, fromVersion))
    const chunks = Array.from({ length: chunkOf(toVersion) - first + 1 }, (_, index) => first + index)
    const writer = this.#guarded(guard, 2)
    writer.text(name)
    writer.texts(chunks.map((chunk) => chunkField(name, chunk)))
    const reply = await this.#redis.run(offsetsScript, this.#keys.kept.slice(0, 3), writer.finish())
    if (!Array.isArray(reply)) return 'guard-lost'
    const [stored, full] = reply as [Buffer | null, Buffers]
    if (stored === null) return []
    const record = decodeStreamRecord(stored)
    const last = chunkOf(record.version)
    return chunks.flatMap((chunk, index) => {
      const packed = chunk === last ? record.chunk : full[index]
      return packed == null ? [] : offsetsIn(packed, chunk, fromVersion, toVersion)
    })
  }

  /** `undefined` where there is no such stream. */
  async info(guard: Guard, streamId: StreamId): Promise<'guard-lost' | IndexedStreamInfo | undefined> {
    const name = aggregateIdOf(streamId)
    const writer = this.#guarded(guard, 1)
    writer.text(name)
    const keys = [this.#keys.guard, this.#keys.streams, this.#keys.snapshot(name)]
    const reply = await this.#redis.run(infoScript, keys, writer.finish())
    if (!Array.isArray(reply)) return 'guard-lost'
    const [stored, snapshot] = reply as [Buffer | null, Buffer]
    if (stored === null) return undefined
    const snapshotVersion = snapshot.length === 4 ? (snapshot.readUInt32BE() as Version) : undefined
    return { ...streamInfo(stored), ...(snapshotVersion !== undefined && { snapshotVersion }) }
  }

  /**
   * Keeps a snapshot, unless the stored one is newer, or the stream is not yet at its version. Cuts the tail up to it.
   * @returns whether it was kept.
   */
  async saveSnapshot(streamId: StreamId, snapshot: StoredSnapshot): Promise<boolean> {
    const name = aggregateIdOf(streamId)
    const writer = new MessagePackWriter()
    writer.array(3)
    writer.text(name)
    writer.bytes(encodeSnapshot(snapshot))
    writer.uint32(this.#options.tailTtlSeconds)
    const keys = [this.#keys.guard, this.#keys.streams, this.#keys.tail(name), this.#keys.snapshot(name)]
    return (await this.#redis.run(saveSnapshotScript, keys, writer.finish())) === 1
  }

  /** Keeps events that were just read from the log, contiguous from `fromVersion`, for the next reader. */
  async cacheStream(
    guard: Guard,
    streamId: StreamId,
    fromVersion: number,
    payloads: readonly Buffer[],
  ): Promise<'guard-lost' | 'kept'> {
    const writer = this.#guarded(guard, 2)
    writer.bytes(encodeEventRun({ firstVersion: fromVersion, payloads }))
    writer.uint32(this.#options.tailTtlSeconds)
    const keys = [this.#keys.guard, this.#keys.lately(aggregateIdOf(streamId))]
    return (await this.#redis.run(keepReadScript, keys, writer.finish())) === 1 ? 'kept' : 'guard-lost'
  }

  /** How many streams it has. */
  async streamCount(): Promise<number> {
    return Number(await this.#redis.call('HLEN', [this.#keys.streams]))
  }

  /** Calls back for every stream, in no order, step by step. One that changes meanwhile may come twice. */
  async forEachStream(
    callback: (streamId: StreamId, info: IndexedStreamInfo) => Promise<void> | void,
  ): Promise<void> {
    for await (const batch of this.#scan()) {
      for (const [aggregateId, record] of batch) {
        await callback(streamIdOf(this.#options.aggregateType, aggregateId), streamInfo(record))
      }
    }
  }

  /** The aggregate ids under which it holds streams, whatever it holds under them; as {@link forEachStream}. */
  async *aggregateIds(): AsyncGenerator<string> {
    for await (const batch of this.#scan()) for (const [aggregateId] of batch) yield aggregateId
  }

  /**
   * All that it holds of these streams, in their order; some hundreds at a time.
   * @returns for a stream that cannot be read the reason, for one that is not there undefined.
   */
  async inspect(
    guard: Guard,
    aggregateIds: readonly string[],
  ): Promise<'guard-lost' | readonly (InspectedStream | Error | undefined)[]> {
    const writer = this.#guarded(guard, 1)
    writer.texts(aggregateIds)
    const evictable = aggregateIds.flatMap((name) => this.#keys.evictable(name))
    const keys = [...this.#keys.kept.slice(0, 3), ...evictable]
    const reply = await this.#redis.run(inspectScript, keys, writer.finish())
    return Array.isArray(reply) ? (reply as InspectedParts[]).map(inspectedStream) : 'guard-lost'
  }

  async *#scan(): AsyncGenerator<(readonly [aggregateId: string, record: Buffer])[]> {
    let cursor = '0'
    do {
      const reply = await this.#redis.call('HSCAN', [this.#keys.streams, cursor, 'COUNT', 500])
      const [next, fields] = reply as [Buffer, Buffer[]]
      cursor = String(next)
      yield pairs(fields)
    } while (cursor !== '0')
  }

  async #read<T>(
    guard: Guard,
    streamId: StreamId,
    stateVersion: number,
    fromVersion: number,
    assemble: (parts: Parameters<typeof assembleLoad>[0]) => T,
  ): Promise<'guard-lost' | T> {
    const name = aggregateIdOf(streamId)
    const writer = this.#guarded(guard, 3)
    writer.text(name)
    writer.uint32(stateVersion)
    writer.uint32(fromVersion)
    const keys = [
      this.#keys.guard,
      this.#keys.streams,
      this.#keys.tail(name),
      this.#keys.snapshot(name),
      this.#keys.lately(name),
    ]
    const reply = await this.#redis.run(loadScript, keys, writer.finish())
    if (!Array.isArray(reply)) return 'guard-lost'
    const [record, snapshot, tail, lately] = reply as Buffers
    return assemble({
      version: record == null ? noVersion : decodeStreamRecord(record).version,
      snapshot: snapshot == null ? undefined : decodeSnapshot(snapshot),
      tail: tail ?? undefined,
      lately: lately ?? undefined,
    })
  }

  /** Opens a script's argument: the guard, then `more` items to be written. */
  #guarded(guard: Guard, more: number): MessagePackWriter {
    const writer = new MessagePackWriter()
    writer.array(3 + more)
    writer.text(guard.topicId)
    writer.text(termText(guard))
    writer.text(String(guard.nextOffset))
    return writer
  }

  #commitArgument(
    guard: Guard,
    streams: readonly StreamEntries[],
    nextOffset: number,
    { tails, headless, starts }: Required<CommitOptions>,
  ): Buffer {
    const { tailEventsMax, tailTtlSeconds, rememberedIdsMax, now = Date.now } = this.#options
    const writer = this.#guarded(guard, 5 + streamItems)
    writer.text(String(nextOffset))
    writer.uint32(rememberedIdsMax)
    writer.uint32(tailTtlSeconds)
    writer.uint32(headless ? 1 : 0)
    writer.texts(starts.flatMap((start) => [String(start.offset), startText(start)]))
    const notBeforeMs = tails ? now() - tailTtlSeconds * 1_000 : Infinity
    writeStreams(writer, streams, { eventsMax: tailEventsMax, notBeforeMs })
    return writer.finish()
  }

  #mismatch(streams: readonly StreamEntries[], [name, version]: [Buffer, number]): IndexMismatchError {
    const { topic, partition, aggregateType } = this.#options
    const entry = streams.find(({ aggregateId }) => aggregateId === name.toString())?.entries[0]
    return new IndexMismatchError(
      `${topic}[${partition}]: stream ${aggregateType}.${String(name)} is at version ${version} in the index, ` +
        `version ${String(entry?.version)} at offset ${String(entry?.offset)} does not follow it`,
    )
  }
}

type Buffers = readonly (Buffer | null | undefined)[]

function streamInfo(record: Buffer): IndexedStreamInfo {
  const { version, firstTimestampMs, lastTimestampMs } = decodeStreamRecord(record)
  return { version, firstTimestampMs, lastTimestampMs }
}

function pairs(fields: readonly Buffer[]): (readonly [string, Buffer])[] {
  return fields.flatMap((name, index) => {
    const value = fields[index + 1]
    return index % 2 === 0 && value !== undefined ? [[name.toString(), value] as const] : []
  })
}
