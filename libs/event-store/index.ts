export { type AppendRequest, type BatchAppender } from './batch.ts'
export { type CategoryEvent, type CategoryPage, type CategoryQuery, type CategoryReader } from './category.ts'
export { type ErrorCode, type ErrorDetails, errorTable, EventStoreError, type Retry } from './errors.ts'
export { type EventStore, type SnapshotStore, type StreamInfo } from './event-store.ts'
