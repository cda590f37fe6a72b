import { packEvent, type StoredEvent } from '#event-log'
import type { IndexEntry } from '#redis-index'

/** What the index keeps of an event. */
export const toIndexEntry = (event: StoredEvent): IndexEntry => ({
  streamId: event.streamId,
  version: event.version,
  offset: event.offset,
  eventId: event.id,
  timestampMs: Date.parse(event.timestamp),
  payload: packEvent(event),
})
