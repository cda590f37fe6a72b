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

/** How much one append may hold. Bytes are counted where events are encoded. */
export interface AppendLimits {
  readonly eventsPerAppendMax: number
}

/** Appends that may travel together in one request. */
export const appendsPerRequestMax = 1_000

/** Events of all of them together, or of one append where that may have more. */
export const eventsPerRequestMax = 10_000

/** An event that has its id. */
export type IdentifiedEvent = NewEvent & { readonly id: EventId }

/** An append that is well formed: every event has an id, each id stands there once. */
export interface ValidAppend extends ProposedAppend {
  readonly events: readonly IdentifiedEvent[]
}

/**
 * Checks what can be checked of an append without knowing its stream or schemas, and gives ids to events without one.
 * Input may come from outside: nothing is believed of its shape but that it is an append request.
 * @throws EventStoreError `invalid-request` with the path of what is wrong (`events[3].id`); `append-too-large`
 */
export function validateAppend(request: AppendRequest, limits: AppendLimits): ValidAppend {
  const streamId = parseRequest(() => parseStreamId(request.streamId))
  return { streamId, ...validateEvents(request, limits) }
}

/** The same for an append whose stream id has been parsed already. @throws EventStoreError `invalid-request`, `append-too-large` */
export function validateEvents(
  request: Omit<AppendRequest, 'streamId'>,
  limits: AppendLimits,
): Omit<ValidAppend, 'streamId'> {
  // Only what is absent means `any`: null is more likely a version that its caller failed to load.
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

/** The refusal of events that are more than one append may have, whatever they are. */
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

/** @returns the event, with its id in lower case */
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
 * Checks that the data of events comes back as it is from JSON. Where the data is encoded by a schema, that finds the same.
 * @param depthMax how deep the data may be nested
 * @throws EventStoreError `invalid-event` with the path of the first part that would be changed or dropped: `events[3].data.amount`
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
