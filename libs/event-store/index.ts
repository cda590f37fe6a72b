export { type ErrorCode, type ErrorDetails, errorTable, EventStoreError, type Retry } from './errors.ts'
export { type EventStore, type SnapshotStore, type StreamInfo } from './event-store.ts'
