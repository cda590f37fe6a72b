export { CategoryLog } from './category-log.ts'
export { type EncodedNewEvent, EventFormat, storedEvent, type StoredEvent } from './event-format.ts'
export { PartitionFeed } from './partition-feed.ts'
export { packEvent, unpackEvent } from './tail-entry.ts'
