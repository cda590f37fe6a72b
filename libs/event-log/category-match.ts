import type { StoredEvent } from '#event-log/records'
import { type CategoryQuery, parseTime } from '#event-store'

/** The fields of an event that the filters of a query use. */
export type Matched = Pick<StoredEvent, 'streamId' | 'type' | 'timestamp' | 'metadata'>

/** Selects streams by their id. */
export type StreamFilter = (streamId: string) => boolean

/**
 * A test whether an event matches a query.
 * @param streams leaves out all other streams
 * @throws EventStoreError `invalid-request` when a time is malformed
 */
export function matcherOf(
  { eventTypes, from, until, correlationId }: CategoryQuery,
  streams?: StreamFilter,
): (event: Matched) => boolean {
  const fromMs = from === undefined ? -Infinity : parseTime(from, 'from')
  const untilMs = until === undefined ? Infinity : parseTime(until, 'until')
  const isTimed = from !== undefined || until !== undefined
  return ({ streamId, type, timestamp, metadata }) =>
    (streams === undefined || streams(streamId)) &&
    (eventTypes === undefined || eventTypes.includes(type)) &&
    (!isTimed || isWithin(Date.parse(timestamp), fromMs, untilMs)) &&
    (correlationId === undefined || metadata.correlationId === correlationId)
}

const isWithin = (ms: number, fromMs: number, untilMs: number): boolean => ms >= fromMs && ms < untilMs
