export { type AggregateStatistics } from './built-in/aggregate-statistics.ts'
export { builtInProjections, withBuiltIns } from './built-in/built-in-projections.ts'
export { type EventTimeline } from './built-in/event-timeline.ts'
export {
  type AppliedStep,
  type DeadLetters,
  defaultEngineSettings,
  type EngineObserver,
  type EngineParts,
  type EngineSettings,
} from './engine/engine-parts.ts'
export { ParkedRetry } from './engine/parked-retry.ts'
export { pause } from './engine/pause.ts'
export { ProjectionRunner, type ProjectionRunnerOptions } from './engine/projection-runner.ts'
export { isStopped } from './engine/standstill.ts'
export { ViewStoreUnavailableError } from './errors.ts'
export {
  type Generation,
  type GenerationStatus,
  type NewGeneration,
  type OffsetRange,
  type Until,
} from './generation.ts'
export { InMemoryViewStore, type InMemoryViewStoreOptions } from './in-memory-view-store.ts'
export {
  type DeadLetter,
  type DeadLetterRetry,
  type GenerationInfo,
  type PartitionInfo,
  type Progress,
  type ProjectionInfo,
  type ProjectionsApi,
  type RebuildOptions,
  type UpdatesQuery,
  type View,
  type ViewOptions,
  type ViewsPage,
  type ViewsQuery,
  type ViewUpdate,
} from './projections-api.ts'
export {
  type AddOptions,
  type CommitOutcome,
  type GenerationState,
  type KeyedView,
  type Lookup,
  type ParkedEvent,
  type Stop,
  type StoredProjection,
  type StoredView,
  type StoredViewPage,
  type UnpublishedView,
  type ViewChange,
  type ViewCommit,
  type ViewLookup,
  type ViewPageQuery,
  type ViewSet,
  type ViewStore,
} from './view-store.ts'
