export { type AggregateStatistics } from './built-in/aggregate-statistics.ts'
export { withBuiltIns } from './built-in/built-in-projections.ts'
export {
  type AppliedStep,
  defaultEngineSettings,
  type EngineObserver,
  type EngineSettings,
} from './engine/engine-parts.ts'
export { ParkedRetry } from './engine/parked-retry.ts'
export { ProjectionRunner } from './engine/projection-runner.ts'
export { isStopped } from './engine/standstill.ts'
export { ProjectionError } from './errors.ts'
export { InMemoryViewStore } from './in-memory/in-memory-view-store.ts'
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
export { ViewStoreUnavailableError } from './view-store/errors.ts'
export {
  type Generation,
  type GenerationStatus,
  type NewGeneration,
  statusOfNew,
  type Until,
} from './view-store/generation.ts'
export {
  type AddOptions,
  type Generations,
  type GenerationState,
  type Stop,
  type SwitchOutcome,
} from './view-store/generations.ts'
export { type UnpublishedView, type ViewOutbox } from './view-store/outbox.ts'
export { type ParkedEvent } from './view-store/parked-event.ts'
export { type ApplyParkedOutcome, type ParkedEvents, type ParkedPage } from './view-store/parked-events.ts'
export { type StoredProjection, type ViewSet } from './view-store/view-set.ts'
export { type ViewStore } from './view-store/view-store.ts'
export {
  type CommitOutcome,
  hasExpired,
  type KeyedView,
  type Lookup,
  type StoredView,
  type StoredViewPage,
  type ViewChange,
  type ViewCommit,
  type ViewLookup,
  type ViewPageQuery,
  type Views,
} from './view-store/views.ts'
