import type { StoredEvent } from '#event-log/records'
import { type CategoryQuery, parseTime } from '#event-store'

/** The fields of an event that the filters of a query use. */
export type Matched = Pick<StoredEvent, 'type' | 'timestamp' | 'metadata'>

/** A test whether an event matches a query. @throws EventStoreError `invalid-request` when a time is malformed */
export function matcherOf({
  eventTypes,
  from,
  until,
  correlationId,
}: CategoryQuery): (event: Matched) => boolean {
  const fromMs = from === undefined ? -Infinity : parseTime(from, 'from')
  const untilMs = until === undefined ? Infinity : parseTime(until, 'until')
  const isTimed = from !== undefined || until !== undefined
  return ({ type, timestamp, metadata }) =>
    (eventTypes === undefined || eventTypes.includes(type)) &&
    (!isTimed || isWithin(Date.parse(timestamp), fromMs, untilMs)) &&
    (correlationId === undefined || metadata.correlationId === correlationId)
}

const isWithin = (ms: number, fromMs: number, untilMs: number): boolean => ms >= fromMs && ms < untilMs
