export { CategoryLog } from './category-log.ts'
export { type EncodedNewEvent, EventFormat, storedEvent, type StoredEvent } from './event-format.ts'
export { packEvent, unpackEvent } from './tail-entry.ts'
