import { deadlineIn } from '#async'
import { Admission, type HoldBytes } from '#bounds'
import {
  type Aggregate,
  aggregateTypeOf,
  type AppendOptions,
  type AppendResult,
  type LoadedStream,
  type LoadOptions,
  type NewEvent,
  partitionKey,
  type ReadOptions,
  type Snapshot,
  type StreamId,
  type StreamPage,
  type TopicPartition,
} from '#domain'
import type { EventFormat } from '#event-log'
import {
  EventStoreError,
  type EventTypeCheck,
  eventTypeCheck,
  planRead,
  type StreamInfo,
  validateEvents,
} from '#event-store'
import type { StoredSnapshot } from '#redis-index'
import type { EventCodec } from '#schemas'

import type { StatePoint, StateAtVersion } from '../writer-api.ts'
import type { WriterMetrics } from '../writer-metrics.ts'
import { notOwner } from '../partition/partition-errors.ts'
import type { PartitionWriter } from '../partition/partition-writer.ts'
import { PendingAppend } from '../partition/pending-append.ts'
import type { Partitions } from './partitions.ts'
import type { OwnedStream, StreamHistory } from './stream-history.ts'
import type { StreamOwner } from './stream-owner.ts'
import { type StreamSource, StreamStates } from './stream-states.ts'

export interface LocalStoreSettings {
  readonly appendEventsMax: number
  /** Bytes of all encoded events of an append. */
  readonly appendBytesMax: number
  /** The longest time that an append waits for its answer. */
  readonly appendTimeoutMs: number
  readonly readTimeoutMs: number
  /** Reads that may wait; further ones are rejected. */
  readonly readsMax: number
  /** `evolved`: only event types that the domain's aggregate evolves; `any`: all types that have a schema. */
  readonly eventTypes: 'evolved' | 'any'
}

interface LocalStoreParts {
  readonly partitions: Partitions
  readonly format: EventFormat
  readonly codec: EventCodec
  readonly history: StreamHistory
  readonly aggregates: readonly Aggregate[]
  readonly settings: LocalStoreSettings
  readonly metrics: Pick<WriterMetrics, 'loadEvents' | 'unreadableSnapshots'>
}

/** More concurrent reads would only queue in Redis. */
const readsAtOnceMax = 128
/** Bytes of encoded events in concurrent reads. */
const readBytesMax = 64 << 20
/** Concurrent reads of states. Each may fold a long history. */
const statesAtOnceMax = 4

/** The event store for the partitions of this writer. Other streams are rejected with `not-owner`. */
export class LocalStore implements StreamOwner {
  readonly #parts: LocalStoreParts
  readonly #states: StreamStates
  readonly #checkTypes: EventTypeCheck
  readonly #readsAdmitted: Admission
  readonly #statesAdmitted: Admission

  constructor(parts: LocalStoreParts) {
    this.#parts = parts
    this.#checkTypes = eventTypeCheck(parts.settings.eventTypes === 'evolved' ? parts.aggregates : [])
    const { readsMax: waitingMax, readTimeoutMs: waitMsMax } = parts.settings
    const bounds = { waitingMax, waitMsMax, bytesMax: readBytesMax }
    this.#readsAdmitted = new Admission({ ...bounds, what: 'reads of streams', atOnceMax: readsAtOnceMax })
    this.#statesAdmitted = new Admission({ ...bounds, what: 'reads of states', atOnceMax: statesAtOnceMax })
    this.#states = new StreamStates(parts.aggregates)
  }

  async append(
    streamId: StreamId,
    events: readonly NewEvent[],
    { expectedVersion = 'any' }: AppendOptions = {},
    place = this.#parts.partitions.placeOf(streamId),
  ): Promise<AppendResult> {
    const { format, settings } = this.#parts
    const valid = validateEvents(
      { events, expectedVersion },
      { eventsPerAppendMax: settings.appendEventsMax },
    )
    const owner = this.#ownerOf(place)
    this.#checkTypes(aggregateTypeOf(streamId), valid.events)
    const append = new PendingAppend(
      streamId,
      valid.expectedVersion,
      format.encode(streamId, valid.events),
      deadlineIn(settings.appendTimeoutMs),
    )
    if (append.bytes > settings.appendBytesMax) throw tooLarge(append.bytes, settings.appendBytesMax)
    return owner.append(append)
  }

  load(streamId: StreamId, options: LoadOptions = {}, place?: TopicPartition): Promise<LoadedStream> {
    return this.#readsAdmitted.run((hold) => this.#load(this.#stream(streamId, hold, place), options))
  }

  async #load(stream: OwnedStream, options: LoadOptions): Promise<LoadedStream> {
    const { history, metrics } = this.#parts
    const { version, snapshot: stored, events } = await history.load(stream, options)
    const snapshot = stored && (await this.#snapshot(stream.streamId, stored))
    // Without its snapshot the stream is loaded from its events.
    if (stored !== undefined && snapshot === undefined)
      return this.#load(this.#stream(stream.streamId, stream.hold, stream.place), {})
    metrics.loadEvents.observe(
      { snapshot: String(snapshot !== undefined) },
      version - (snapshot?.version ?? 0),
    )
    return { version, events: await history.decode(stream, events), ...(snapshot && { snapshot }) }
  }

  async read(streamId: StreamId, options: ReadOptions = {}, place?: TopicPartition): Promise<StreamPage> {
    const plan = planRead(options)
    return this.#readsAdmitted.run((hold) =>
      this.#parts.history.page(this.#stream(streamId, hold, place), plan),
    )
  }

  async info(streamId: StreamId, place?: TopicPartition): Promise<StreamInfo> {
    const info = await this.#readsAdmitted.run((hold) =>
      this.#parts.history.info(this.#stream(streamId, hold, place)),
    )
    if (info === undefined) throw new EventStoreError('stream-not-found', `there is no stream ${streamId}`)
    const { version, snapshotVersion, firstTimestampMs, lastTimestampMs } = info
    return {
      streamId,
      version,
      ...(snapshotVersion !== undefined && { snapshotVersion }),
      firstTimestamp: new Date(firstTimestampMs).toISOString(),
      lastTimestamp: new Date(lastTimestampMs).toISOString(),
    }
  }

  state(streamId: StreamId, at: StatePoint, place?: TopicPartition): Promise<StateAtVersion> {
    // A state is admitted as a whole. Its events are folded in steps, so their bytes are not counted.
    return this.#statesAdmitted.run(() => this.#states.state(this.#source(streamId, place), streamId, at))
  }

  #source(streamId: StreamId, place?: TopicPartition): StreamSource {
    const { history } = this.#parts
    const stream = () => this.#stream(streamId, () => undefined, place)
    return {
      version: () => history.version(stream()),
      snapshot: async (stateVersion) => {
        const stored = await history.snapshot(stream(), stateVersion)
        return stored && this.#snapshot(streamId, stored)
      },
      events: (bounds) => history.events(stream, planRead(bounds)),
    }
  }

  #stream(
    streamId: StreamId,
    hold: HoldBytes,
    place = this.#parts.partitions.placeOf(streamId),
  ): OwnedStream {
    const deadlineMs = deadlineIn(this.#parts.settings.readTimeoutMs)
    return { streamId, place, owner: this.#ownerOf(place), deadlineMs, hold }
  }

  #ownerOf(place: TopicPartition): PartitionWriter {
    const owner = this.#parts.partitions.ownerOf(place)
    if (owner === undefined) throw notOwner(partitionKey(place))
    return owner
  }

  /** Undefined if the snapshot cannot be read: the events contain the same state. */
  async #snapshot(
    streamId: StreamId,
    { version, stateVersion, timestampMs, state }: StoredSnapshot,
  ): Promise<Snapshot | undefined> {
    const { codec, metrics } = this.#parts
    try {
      const [decoded] = await codec.decodeMany([state])
      const timestamp = new Date(timestampMs).toISOString()
      return { streamId, version, stateVersion, state: decoded?.data, timestamp }
    } catch {
      metrics.unreadableSnapshots.inc()
      return undefined
    }
  }
}

const tooLarge = (bytes: number, bytesMax: number) =>
  new EventStoreError(
    'append-too-large',
    `the append has ${bytes} bytes encoded: expected at most ${bytesMax}`,
    {
      path: 'events',
    },
  )
