import type { ProjectionsApi, UpdatesQuery, ViewUpdate } from '#projections'

/** A change of a view for one subscriber. The same object stands for the change for all of them. */
export interface ChangeAt {
  readonly change: Omit<ViewUpdate, 'cursor'>
  /** Resumes right after it. */
  readonly cursor: string
}

/** What the projector's core gives to HTTP. */
export interface ProjectorApi extends ProjectionsApi {
  /** As `updates`, some changes at a time: all that are at hand. */
  subscribe(name: string, query: UpdatesQuery, signal: AbortSignal): AsyncIterable<readonly ChangeAt[]>
}
