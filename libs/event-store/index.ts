export { type AppendRequest, type BatchAppender } from './batch.ts'
export {
  type CategoryBatch,
  type CategoryEvent,
  type CategoryPage,
  type CategoryQuery,
  type CategoryReader,
} from './category.ts'
export {
  type AppendDecision,
  decideAppend,
  type KnownEvent,
  type ProposedAppend,
  type VersionRange,
} from './decide-append.ts'
export { type ErrorCode, type ErrorDetails, errorTable, EventStoreError, type Retry } from './errors.ts'
export { type EventStore, type SnapshotStore, type StreamInfo } from './event-store.ts'
export { type EventTypeCheck, eventTypeCheck, type EvolvedAggregate } from './evolved-event-types.ts'
export { InMemoryEventStore, type InMemoryEventStoreOptions } from './in-memory-event-store.ts'
export { invalidRequest, parseRequest } from './invalid-request.ts'
export { type JsonExcess, jsonDepthMax, jsonExcess, jsonPartsMax } from './json-bounds.ts'
export { parseJson } from './parse-json.ts'
export { fromProblem, type Problem, toProblem } from './problem.ts'
export { readAll } from './read-all.ts'
export { pageLimitMax, parsePageLimit, parseTime, planRead, type ReadPlan } from './read-plan.ts'
export {
  type SnapshotBuilds,
  type SnapshotCleanup,
  type SnapshotRebuild,
  type SnapshotsApi,
  type SnapshotStatistics,
  type SnapshotTaken,
} from './snapshots-api.ts'
export {
  type AppendLimits,
  appendsPerRequestMax,
  checkEventData,
  eventsPerRequestMax,
  type IdentifiedEvent,
  tooManyEvents,
  validateAppend,
  validateEvents,
  type ValidAppend,
} from './validate-append.ts'
