import type { EncodedEvent } from '#event-log/records'
import type { IndexEntry } from '#redis-index'

/** The index entry of an event. */
export const toIndexEntry = (event: EncodedEvent, offset: number): IndexEntry => ({
  streamId: event.streamId,
  version: event.version,
  offset,
  eventId: event.id,
  timestampMs: event.timestampMs,
})
