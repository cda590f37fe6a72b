import {
  aggregateTypeOf,
  type AppendOptions,
  type AppendResult,
  type EventId,
  eventTopic,
  type LoadedStream,
  type LoadOptions,
  type NewEvent,
  noVersion,
  parseStreamId,
  type Position,
  position,
  type ReadOptions,
  type RecordedEvent,
  type Snapshot,
  type StreamId,
  type StreamPage,
  type Version,
  versionAfter,
} from '#domain'

import type { AppendRequest, BatchAppender } from './batch.ts'
import { decideAppend, type VersionRange } from './decide-append.ts'
import { EventStoreError } from './errors.ts'
import type { EventStore, SnapshotStore, StreamInfo } from './event-store.ts'
import { type EventTypeCheck, eventTypeCheck, type EvolvedAggregate } from './evolved-event-types.ts'
import { frozenCopy, frozenJson } from './frozen-copy.ts'
import { invalidRequest, parseRequest } from './invalid-request.ts'
import { planRead, type ReadPlan } from './read-plan.ts'
import {
  type AppendLimits,
  checkEventData,
  type IdentifiedEvent,
  validateAppend,
  type ValidAppend,
} from './validate-append.ts'

export interface InMemoryEventStoreOptions extends Partial<AppendLimits> {
  /** The clock for timestamps of events; default the system clock. */
  readonly now?: () => Date
  /** Streams of these aggregates accept only events that the aggregate evolves, as in a writer. Other streams accept any event. */
  readonly aggregates?: readonly EvolvedAggregate[]
  /** Maximum number of events that a load returns. Lower it to test with streams that exceed it. Default 1,000. */
  readonly eventsPerLoadMax?: number
}

/** The data of one stream. */
interface Stream {
  readonly events: RecordedEvent[]
  readonly byId: Map<EventId, RecordedEvent>
  snapshot?: Snapshot
}

/** Runs a function at once. What it throws becomes a rejection. */
const promised = <T>(run: () => T): Promise<T> => new Promise((resolve) => resolve(run()))

/**
 * An event store in memory, for tests and experiments. It accepts and rejects appends by the same rules as the writer.
 * Every aggregate type has one topic with one partition; offsets count across the whole store. Everything it returns is frozen.
 */
export class InMemoryEventStore implements EventStore, SnapshotStore, BatchAppender {
  readonly #streams = new Map<StreamId, Stream>()
  readonly #now: () => Date
  readonly #limits: AppendLimits
  readonly #checkTypes: EventTypeCheck
  readonly #eventsPerLoadMax: number
  #nextOffset = 0

  constructor(options: InMemoryEventStoreOptions = {}) {
    this.#now = options.now ?? (() => new Date())
    this.#limits = { eventsPerAppendMax: options.eventsPerAppendMax ?? 1000 }
    this.#checkTypes = eventTypeCheck(options.aggregates ?? [])
    this.#eventsPerLoadMax = options.eventsPerLoadMax ?? 1000
  }

  append(
    streamId: StreamId,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    return promised(() => this.#append({ streamId, events, ...options }))
  }

  appendMany(requests: readonly AppendRequest[]): Promise<readonly (AppendResult | EventStoreError)[]> {
    return promised(() => requests.map((request) => this.#appendOrError(request)))
  }

  load(streamId: StreamId, options: LoadOptions = {}): Promise<LoadedStream> {
    return promised(() => {
      const stream = this.#find(streamId)
      const version = versionOf(stream)
      const snapshot = stream?.snapshot
      const usable = snapshot !== undefined && snapshot.stateVersion === options.stateVersion
      const from = usable ? snapshot.version : noVersion
      const events = stream?.events.slice(from, from + this.#eventsPerLoadMax) ?? []
      return { version, events, ...(usable && { snapshot }) }
    })
  }

  read(streamId: StreamId, options: ReadOptions = {}): Promise<StreamPage> {
    return promised(() => {
      const stream = this.#find(streamId)
      const plan = planRead(options)
      const matching = selectEvents(stream?.events ?? [], plan)
      const next = matching[plan.limit]?.version
      return {
        streamId,
        version: versionOf(stream),
        events: matching.slice(0, plan.limit),
        ...(next !== undefined && { next }),
      }
    })
  }

  info(streamId: StreamId): Promise<StreamInfo> {
    return promised(() => {
      const stream = this.#find(streamId)
      const first = stream?.events[0]
      const last = stream?.events.at(-1)
      if (first === undefined || last === undefined) {
        throw new EventStoreError('stream-not-found', `there is no stream ${streamId}`)
      }
      const snapshotVersion = stream?.snapshot?.version
      return {
        streamId,
        version: last.version,
        ...(snapshotVersion !== undefined && { snapshotVersion }),
        firstTimestamp: first.timestamp,
        lastTimestamp: last.timestamp,
      }
    })
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return promised(() => {
      const stream = this.#find(snapshot.streamId)
      if (stream === undefined || snapshot.version < 1 || snapshot.version > versionOf(stream)) {
        throw invalidRequest(
          'version',
          `a snapshot of ${snapshot.streamId} at version ${snapshot.version} cannot be saved: the stream is at version ${versionOf(stream)}`,
        )
      }
      if (isNewer(snapshot, stream.snapshot)) stream.snapshot = frozenCopy(snapshot)
    })
  }

  #find(streamId: StreamId): Stream | undefined {
    return this.#streams.get(parseRequest(() => parseStreamId(streamId)))
  }

  #appendOrError(request: AppendRequest): AppendResult | EventStoreError {
    try {
      return this.#append(request)
    } catch (error) {
      if (error instanceof EventStoreError) return error
      throw error
    }
  }

  #append(request: AppendRequest): AppendResult {
    const append = validateAppend(request, this.#limits)
    this.#checkTypes(aggregateTypeOf(append.streamId), append.events)
    checkEventData(append.events)
    const stream = this.#streams.get(append.streamId)
    const decision = decideAppend(
      append,
      versionOf(stream),
      stream?.byId ?? new Map<EventId, RecordedEvent>(),
    )
    switch (decision.kind) {
      case 'refuse':
        throw decision.error
      case 'duplicate':
        return answer(append, decision, decision.last.position, true)
      case 'accept':
        return answer(append, decision, this.#record(append, decision.firstVersion), false)
    }
  }

  #record(append: ValidAppend, firstVersion: Version): Position {
    const { streamId } = append
    const topic = eventTopic(aggregateTypeOf(streamId))
    const timestamp = this.#now().toISOString()
    const events = append.events.map((event, index) =>
      recordedEvent(event, {
        streamId,
        version: versionAfter(firstVersion, index),
        position: position(topic, 0, this.#nextOffset + index),
        timestamp,
      }),
    )
    const stream = this.#streams.get(streamId) ?? { events: [], byId: new Map<EventId, RecordedEvent>() }
    this.#streams.set(streamId, stream)
    for (const event of events) {
      stream.events.push(event)
      stream.byId.set(event.id, event)
    }
    this.#nextOffset += events.length
    return position(topic, 0, this.#nextOffset - 1)
  }
}

const versionOf = (stream: Stream | undefined): Version => stream?.events.at(-1)?.version ?? noVersion

/** The state version counts first, because a snapshot of an older state version is useless to callers that use the newer one. */
const isNewer = (snapshot: Snapshot, stored: Snapshot | undefined): boolean =>
  stored === undefined ||
  snapshot.stateVersion > stored.stateVersion ||
  (snapshot.stateVersion === stored.stateVersion && snapshot.version > stored.version)

const answer = (
  { streamId, eventIds }: ValidAppend,
  { firstVersion, lastVersion }: VersionRange,
  at: Position,
  duplicate: boolean,
): AppendResult => ({ streamId, firstVersion, lastVersion, position: at, eventIds, duplicate })

/** @param event an event whose data has been checked. */
function recordedEvent(
  { type, data = null, id, metadata = {} }: IdentifiedEvent,
  place: Pick<RecordedEvent, 'streamId' | 'version' | 'position' | 'timestamp'>,
): RecordedEvent {
  return frozenJson({ type, data, id, metadata, ...place })
}

/** All events within the bounds of the plan, in its direction. The page is the first `limit` of them. */
function selectEvents(events: readonly RecordedEvent[], plan: ReadPlan): RecordedEvent[] {
  const { fromVersion, toVersion, fromMs, untilMs } = plan
  const matching = events.filter(({ version, timestamp }) => {
    const ms = Date.parse(timestamp)
    return version >= fromVersion && version <= toVersion && ms >= fromMs && ms < untilMs
  })
  return plan.direction === 'backwards' ? matching.reverse() : matching
}
