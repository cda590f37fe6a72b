import {
  checkJsonValue,
  type EventId,
  identifyEvents,
  InvalidInputError,
  type NewEvent,
  parseEventId,
  parseExpectedVersion,
  parseMetadata,
  parseStreamId,
  quote,
} from '#domain'

import type { AppendRequest } from './batch.ts'
import { malformedIds, type ProposedAppend } from './decide-append.ts'
import { EventStoreError } from './errors.ts'
import { invalidRequest, parseRequest } from './invalid-request.ts'

/** Limits of one append. The limit in bytes is checked where events are encoded. */
export interface AppendLimits {
  readonly eventsPerAppendMax: number
}

/** Maximum number of appends in one request. */
export const appendsPerRequestMax = 1_000

/** Maximum number of events in one request. A higher limit per append takes precedence. */
export const eventsPerRequestMax = 10_000

/** An event with an id. */
export type IdentifiedEvent = NewEvent & { readonly id: EventId }

/** A well-formed append: every event has an id, and no id occurs twice. */
export interface ValidAppend extends ProposedAppend {
  readonly events: readonly IdentifiedEvent[]
}

/**
 * Validates an append without its stream or schemas, and assigns missing event ids. The input may be untrusted: the types of
 * its fields are checked.
 * @throws EventStoreError `invalid-request` with the path of the invalid field (`events[3].id`); `append-too-large`
 */
export function validateAppend(request: AppendRequest, limits: AppendLimits): ValidAppend {
  const streamId = parseRequest(() => parseStreamId(request.streamId))
  return { streamId, ...validateEvents(request, limits) }
}

/** Like {@link validateAppend}, for an append whose stream id is already parsed. @throws EventStoreError `invalid-request`, `append-too-large` */
export function validateEvents(
  request: Omit<AppendRequest, 'streamId'>,
  limits: AppendLimits,
): Omit<ValidAppend, 'streamId'> {
  // Only an absent value means `any`: null is more likely a version that the caller failed to load.
  const { expectedVersion: expected = 'any' } = request
  const expectedVersion = parseRequest(() => parseExpectedVersion(expected))
  const tooMany = tooManyEvents(request.events, limits)
  if (tooMany !== undefined) throw tooMany
  const events = identifyEvents(request.events.map(checkEvent))
  const eventIds = events.map(({ id }) => id)
  const malformed = malformedIds(eventIds)
  if (malformed !== undefined) throw malformed
  return { expectedVersion, events, eventIds }
}

/** The error for more events than one append may have; undefined when the number is allowed. */
export function tooManyEvents(
  events: unknown,
  { eventsPerAppendMax }: AppendLimits,
): EventStoreError | undefined {
  if (!Array.isArray(events) || events.length <= eventsPerAppendMax) return undefined
  return new EventStoreError(
    'append-too-large',
    `the append has ${events.length} events: expected at most ${eventsPerAppendMax}`,
    { path: 'events' },
  )
}

/** @returns the event with its id in lower case */
function checkEvent(event: NewEvent, index: number): NewEvent {
  const type: unknown = event.type
  if (typeof type !== 'string' || type === '') {
    const path = `events[${index}].type`
    throw invalidRequest(
      path,
      `${path} ${quote(type)} is not an event type: expected a name, e.g. OrderPlaced`,
    )
  }
  const { id, metadata } = event
  if (metadata !== undefined) parseRequest(() => parseMetadata(metadata, `events[${index}].metadata`))
  if (id === undefined) return event
  return { ...event, id: parseRequest(() => parseEventId(id, `events[${index}].id`)) }
}

/**
 * Checks that the data of events survives a round trip through JSON unchanged. Encoding with a schema detects the same errors.
 * @param depthMax maximum nesting depth of the data
 * @throws EventStoreError `invalid-event` with the path of the first part that JSON would change or drop: `events[3].data.amount`
 */
export function checkEventData(events: readonly Pick<NewEvent, 'data'>[], depthMax?: number): void {
  try {
    for (const [index, { data = null }] of events.entries()) {
      checkJsonValue(data, `events[${index}].data`, depthMax)
    }
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    throw new EventStoreError('invalid-event', error.message, { path: error.path }, { cause: error })
  }
}
