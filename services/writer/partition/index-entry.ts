import { packEvent } from '#event-log'
import type { EncodedEvent } from '#event-log/records'
import type { IndexEntry } from '#redis-index'

/** What the index keeps of an event. Its payload is packed only when the tail takes it: a rebuild leaves most tails out. */
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
