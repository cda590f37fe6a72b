import { packEvent } from '#event-log'
import type { EncodedEvent } from '#event-log/records'
import type { IndexEntry } from '#redis-index'

/** The index entry of an event. The payload is packed only if the tail needs it, because a rebuild skips most tails. */
export const toIndexEntry = (event: EncodedEvent, offset: number): IndexEntry => ({
  streamId: event.streamId,
  version: event.version,
  offset,
  eventId: event.id,
  timestampMs: event.timestampMs,
  get payload() {
    return packEvent(event, offset)
  },
})
