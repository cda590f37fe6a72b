import {
  checkNewStreamId,
  type EventId,
  type ExpectedVersion,
  meetsExpectation,
  noVersion,
  quote,
  type StreamId,
  type Version,
  versionAfter,
} from '#domain'

import { EventStoreError } from './errors.ts'
import { parseRequest } from './invalid-request.ts'

/** The parts of an append that its decision depends on: the expected version, and the event ids in order. */
export interface ProposedAppend {
  readonly streamId: StreamId
  readonly expectedVersion: ExpectedVersion
  readonly eventIds: readonly EventId[]
}

/** A remembered event of the stream. Stores add its position. */
export interface KnownEvent {
  readonly version: Version
}

/** A range of versions, both ends inclusive. */
export interface VersionRange {
  readonly firstVersion: Version
  readonly lastVersion: Version
}

export type AppendDecision<Known extends KnownEvent> =
  | ({ readonly kind: 'accept' } & VersionRange)
  /** The events are already in the stream. `last` is the last of them, so the store can repeat the first answer. */
  | ({ readonly kind: 'duplicate'; readonly last: Known } & VersionRange)
  | { readonly kind: 'refuse'; readonly error: EventStoreError }

const refuse = (error: EventStoreError) => ({ kind: 'refuse', error }) as const

/**
 * Accepts or rejects an append, or recognises it as a duplicate. Pure; every store uses it, so all stores decide the same way.
 *
 * Duplicates are recognised before the expected version is checked, because a caller that retries cannot know that its first
 * try succeeded. The log does not record the bounds of appends. An append is a duplicate if its events are in the stream in
 * the same order at contiguous versions. Known ids in any other arrangement are rejected as a partial duplicate.
 *
 * @param actual the stream's version, including appends accepted earlier in the same batch.
 * @param known the known events of this stream by id. Ids that are not part of the append are ignored.
 */
export function decideAppend<Known extends KnownEvent>(
  append: ProposedAppend,
  actual: Version,
  known: ReadonlyMap<EventId, Known>,
): AppendDecision<Known> {
  const malformed = malformedIds(append.eventIds)
  if (malformed !== undefined) return refuse(malformed)
  const found = knownAmong(append.eventIds, known)
  if (found.length > 0) return decideKnown(append, found)
  const unfit = actual === noVersion ? unfitNewStream(append.streamId) : undefined
  if (unfit !== undefined) return refuse(unfit)
  if (!meetsExpectation(append.expectedVersion, actual)) return refuse(wrongExpectedVersion(append, actual))
  return {
    kind: 'accept',
    firstVersion: versionAfter(actual),
    lastVersion: versionAfter(actual, append.eventIds.length),
  }
}

/** The error of an append without events, or with the same id twice; undefined when its ids are valid. */
export function malformedIds(eventIds: readonly (EventId | undefined)[]): EventStoreError | undefined {
  if (eventIds.length === 0) {
    return new EventStoreError('invalid-request', 'events is empty: expected at least one event', {
      path: 'events',
    })
  }
  const firstIndex = new Map<EventId, number>()
  for (const [index, id] of eventIds.entries()) {
    if (id === undefined) continue
    const first = firstIndex.get(id)
    if (first !== undefined) return repeatedId(id, first, index)
    firstIndex.set(id, index)
  }
  return undefined
}

function unfitNewStream(streamId: StreamId): EventStoreError | undefined {
  try {
    parseRequest(() => checkNewStreamId(streamId))
    return undefined
  } catch (error) {
    if (error instanceof EventStoreError) return error
    throw error
  }
}

interface Found<Known> {
  readonly id: EventId
  readonly event: Known
}

function knownAmong<Known>(eventIds: readonly EventId[], known: ReadonlyMap<EventId, Known>): Found<Known>[] {
  if (known.size === 0) return []
  return eventIds.flatMap((id) => {
    const event = known.get(id)
    return event === undefined ? [] : [{ id, event }]
  })
}

function decideKnown<Known extends KnownEvent>(
  append: ProposedAppend,
  found: readonly Found<Known>[],
): AppendDecision<Known> {
  const first = found[0]
  const last = found.at(-1)
  const whole = found.length === append.eventIds.length
  if (first === undefined || last === undefined || !whole || !isContiguous(found)) {
    return refuse(partialDuplicate(append, found, whole))
  }
  return {
    kind: 'duplicate',
    firstVersion: first.event.version,
    lastVersion: last.event.version,
    last: last.event,
  }
}

const isContiguous = (found: readonly Found<KnownEvent>[]): boolean =>
  found.every(({ event }, index) => event.version === (found[0]?.event.version ?? 0) + index)

const repeatedId = (id: EventId, first: number, index: number): EventStoreError =>
  new EventStoreError(
    'invalid-request',
    `events[${index}].id ${quote(id)} repeats the id of events[${first}]: expected each id once`,
    { path: `events[${index}].id` },
  )

const partialDuplicate = (
  append: ProposedAppend,
  found: readonly Found<KnownEvent>[],
  whole: boolean,
): EventStoreError =>
  new EventStoreError(
    'partial-duplicate',
    whole
      ? `all ${found.length} events are already in ${append.streamId}, but not as one append in this order`
      : `${found.length} of ${append.eventIds.length} events are already in ${append.streamId}: send the same events as the first time, or only new ones`,
    { known: found.map(({ id }) => id) },
  )

const wrongExpectedVersion = (append: ProposedAppend, actual: Version): EventStoreError =>
  new EventStoreError(
    'wrong-expected-version',
    `${append.streamId} is at version ${actual}, expected ${append.expectedVersion}: load it again and decide again`,
    { expected: append.expectedVersion, actual },
  )
