export {
  type EventFeed,
  type FedChunk,
  type FedEvent,
  isReadable,
  type UnreadableEvent,
} from './event-feed.ts'
export {
  type EncodedEvent,
  eventSourceDefault,
  extensionAttributes,
  fromStoredRecord,
  toLogRecord,
} from './event-record.ts'
export { eventIn, isAvro, storedEvent, type StoredEvent } from './stored-event.ts'
