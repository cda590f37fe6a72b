export {
  type Aggregate,
  type AggregateDefinition,
  decide,
  defineAggregate,
  type DomainCommand,
  fold,
  type SnapshotPolicy,
} from './aggregate.ts'
export { AggregateRoot } from './aggregate-root.ts'
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
export { DomainError, refuse } from './domain-error.ts'
export { defineDomain, type DomainModule } from './domain-module.ts'
export { type DomainEvent, type NewEvent, type RecordedEvent } from './event.ts'
export {
  deriveEventId,
  type EventId,
  eventIdBytes,
  newEventId,
  parseEventId,
  readEventId,
  writeEventId,
} from './event-id.ts'
export { foldInSteps } from './fold-in-steps.ts'
export { identifyEvents } from './identify-events.ts'
export { InvalidInputError, quote } from './invalid-input.ts'
export { type LoadedAggregate, newAggregate } from './loaded-aggregate.ts'
export { checkJsonValue, isJsonObject, memberPath } from './json-value.ts'
export {
  aggregateTypeOfTopic,
  deadLetterTopic,
  eventTopic,
  formatPartition,
  isEventTopic,
  parsePartition,
  partitionKey,
  partitionOfKey,
  partitionOfStream,
  projectionTopic,
  repartitionJournal,
  repartitionTopic,
  restoreJournal,
  snapshotTopic,
  type TopicPartition,
} from './log-address.ts'
export {
  type EventMetadata,
  type MetadataValue,
  type NamedMetadata,
  ownMetadataBytesMax,
  ownMetadataJson,
  ownMetadataKeysMax,
  parseMetadata,
  parseOwnMetadataJson,
} from './metadata.ts'
export {
  type MetadataField,
  type MetadataFieldName,
  metadataFields,
  metadataTable,
  ownMetadataHeader,
} from './metadata-table.ts'
export { didYouMean, nearestNames, suggestion, unknownName } from './nearest-names.ts'
export { murmur2, partitionFor } from './partition-for.ts'
export { formatPosition, parsePosition, type Position, position } from './position.ts'
export { defineProjection, project, type Projection, type ProjectionDefinition } from './projection.ts'
export {
  type Executed,
  type ExecuteOptions,
  Repository,
  type RepositoryOptions,
  type SaveOptions,
} from './repository.ts'
export { defaultRetryPolicy, type RetryPolicy, withRetry } from './retry.ts'
export { validateSequence } from './sequence.ts'
export {
  aggregateIdOf,
  aggregateTypeOf,
  checkNewStreamId,
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
