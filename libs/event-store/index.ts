export { type AppendDecision, decideAppend, type KnownEvent, type ProposedAppend } from './decide-append.ts'
export { type ErrorCode, type ErrorDetails, errorTable, EventStoreError, type Retry } from './errors.ts'
export { type EventStore, type SnapshotStore, type StreamInfo } from './event-store.ts'
