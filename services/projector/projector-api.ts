import type { ProjectionsApi, UpdatesQuery, ViewUpdate } from '#projections'

/** A change of a view for a subscriber. All subscribers share one object for each change. */
export interface ChangeAt {
  readonly change: Omit<ViewUpdate, 'cursor'>
  /** Resumes right after the change. */
  readonly cursor: string
}

/** A batch of changes for a subscriber. It is empty if only the cursor has moved past other changes. */
export interface ChangeBatch {
  readonly changes: readonly ChangeAt[]
  /** Resumes right after all read changes. */
  readonly cursor: string
}

/** The API of the projector for HTTP. */
export interface ProjectorApi extends ProjectionsApi {
  /** Like `updates`, in batches of the available changes. A batch without changes reports a moved cursor. */
  subscribe(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<ChangeBatch>
  /** Checks that a subscription can start. @throws EventStoreError, also if the cursor is beyond the end. */
  checkUpdates(name: string, query: UpdatesQuery): Promise<void>
}
