import type { ProjectionsApi, UpdatesQuery, ViewUpdate } from '#projections'

/** A change of a view for one subscriber. The same object stands for the change for all of them. */
export interface ChangeAt {
  readonly change: Omit<ViewUpdate, 'cursor'>
  /** Resumes right after it. */
  readonly cursor: string
}

/** Some changes for one subscriber; none where only its cursor has moved, because it wants none of them. */
export interface ChangeBatch {
  readonly changes: readonly ChangeAt[]
  /** Resumes right after all that was looked at. */
  readonly cursor: string
}

/** What the projector's core gives to HTTP. */
export interface ProjectorApi extends ProjectionsApi {
  /** As `updates`, some changes at a time: all that are at hand; none where only the cursor has moved. */
  subscribe(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ChangeBatch>
  /** @throws EventStoreError where changes cannot be followed as asked, also where the cursor is beyond the end. */
  checkUpdates(name: string, query: UpdatesQuery): Promise<void>
}
