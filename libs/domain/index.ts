export {
  type AggregateStore,
  type AppendOptions,
  type AppendResult,
  isConflict,
  type LoadedStream,
  type LoadOptions,
  type ReadOptions,
  type Snapshot,
  type StreamPage,
} from './aggregate-store.ts'
export { type DomainEvent, type EventMetadata, type NewEvent, type RecordedEvent } from './event.ts'
export { deriveEventId, type EventId, newEventId, parseEventId } from './event-id.ts'
export { InvalidInputError, quote } from './invalid-input.ts'
export { formatPosition, parsePosition, type Position, position } from './position.ts'
export {
  aggregateIdOf,
  aggregateTypeOf,
  parseAggregateType,
  parseStreamId,
  type StreamId,
  streamIdOf,
} from './stream-id.ts'
export {
  createUpcasterChain,
  defineUpcaster,
  type Upcaster,
  type UpcasterChain,
  type UpcasterDefinition,
} from './upcaster.ts'
export {
  type ExpectedVersion,
  meetsExpectation,
  noVersion,
  parseExpectedVersion,
  parseVersion,
  type Version,
  versionAfter,
} from './version.ts'
