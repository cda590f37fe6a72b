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

/** An append as far as its decision goes: what it expects, and the ids of its events in order. */
export interface ProposedAppend {
  readonly streamId: StreamId
  readonly expectedVersion: ExpectedVersion
  readonly eventIds: readonly EventId[]
}

/** What a store remembers of an event that is in the stream; stores add where it is. */
export interface KnownEvent {
  readonly version: Version
}

/** Both ends inclusive. */
export interface VersionRange {
  readonly firstVersion: Version
  readonly lastVersion: Version
}

export type AppendDecision<Known extends KnownEvent> =
  | ({ readonly kind: 'accept' } & VersionRange)
  /** The events are there already; `last` is what is known of the last of them, so that the first answer can be given again. */
  | ({ readonly kind: 'duplicate'; readonly last: Known } & VersionRange)
  | { readonly kind: 'refuse'; readonly error: EventStoreError }

const refuse = (error: EventStoreError) => ({ kind: 'refuse', error }) as const

/**
 * Decides what becomes of an append. Pure: every store decides with it, so that all of them decide alike.
 *
 * Duplicates are recognised before the expected version is looked at, because the caller of a retry cannot know
 * that its first try succeeded. The log keeps no bounds of appends, so a former append is what one leaves behind: its events
 * in the same order at contiguous versions. Known ids that stand otherwise are refused like an append that is known in part.
 *
 * @param actual the stream's version, counting what was accepted before in the same batch.
 * @param known which of the append's ids are in this stream (at least those that are remembered; others do not matter).
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

/** What is wrong with the ids of an append by themselves: there are none, or one stands there twice. */
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
    `events[${index}].id ${quote(id)} is that of events[${first}] too: expected each id once`,
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
    `${append.streamId} is at version ${actual}, expected ${append.expectedVersion}: load it again and decide anew`,
    { expected: append.expectedVersion, actual },
  )
