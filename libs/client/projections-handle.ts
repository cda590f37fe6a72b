import type { Position } from '#domain'
import { EventStoreError } from '#event-store'
import type {
  DeadLetter,
  DeadLetterRetry,
  ProjectionInfo,
  RebuildOptions,
  View,
  ViewOptions,
  ViewsPage,
  ViewsQuery,
  ViewUpdate,
} from '#projections'

import type { OnProgress } from './follow-stream.ts'
import type { ProjectionsClient } from './projections-client.ts'

/** Options of a subscription to views. */
export interface SubscribeViewsOptions {
  /** Start after the update with this cursor. Default: start with all current views. */
  readonly cursor?: string
  /** Start with the next change, without the current views. Ignored when there is a cursor. */
  readonly fromNow?: boolean
  /** Only this view. */
  readonly key?: string
  /** Ends the subscription. */
  readonly signal?: AbortSignal
  /** Called with the cursor from time to time while only other views change, and at once with `fromNow`. Save it like the cursor of an update. */
  readonly onProgress?: OnProgress
}

/** Access to one projection, with views typed by its definition. All methods reject with EventStoreError. */
export class ProjectionHandle<Data = unknown> {
  readonly name: string
  readonly #client: ProjectionsClient
  readonly #closing: AbortSignal

  /** @param closing ends all subscriptions when it aborts */
  constructor(name: string, client: ProjectionsClient, closing: AbortSignal) {
    this.name = name
    this.#client = client
    this.#closing = closing
  }

  /**
   * Returns a view by key; undefined when there is none. To read your own write, pass the `position` of the append as `after`: the
   * read waits until the projection has applied it, for `timeoutMs` or 5 s.
   * @throws EventStoreError `projection-behind` when it was not applied in time; `projection-not-found`, `generation-not-found`
   */
  async get(key: string, options: ViewOptions = {}): Promise<View<Data> | undefined> {
    try {
      return (await this.#client.view(this.name, key, options)) as View<Data>
    } catch (error) {
      if (error instanceof EventStoreError && error.code === 'view-not-found') return undefined
      throw error
    }
  }

  /** Returns one page of views, by key or by a declared index. Pass `next` as the `cursor` for the next page. */
  async list(query: ViewsQuery = {}): Promise<ViewsPage<Data>> {
    return (await this.#client.views(this.name, query)) as ViewsPage<Data>
  }

  /** Iterates over views, page by page. A view whose place in the order changes meanwhile may appear twice or not at all. */
  async *listAll(query: ViewsQuery = {}): AsyncGenerator<View<Data>, void, undefined> {
    let { cursor } = query
    for (;;) {
      const { views, next } = await this.list(cursor === undefined ? query : { ...query, cursor })
      yield* views
      if (next === undefined) return
      // Prevents an endless loop over a server that returns the same next page again.
      if (next === cursor)
        throw new EventStoreError('internal', `the server returned the same next page of ${this.name} again`)
      cursor = next
    }
  }

  /**
   * Subscribes to views: all current views first, then each change. It reconnects after failures without loss. Save the cursor of
   * the last update, or that of `onProgress`, to resume after a restart. A deleted view is null.
   * @throws EventStoreError when the retry limits are reached without an update.
   */
  subscribe({ signal, ...query }: SubscribeViewsOptions = {}): AsyncGenerator<ViewUpdate<Data>> {
    const ended = AbortSignal.any([...(signal === undefined ? [] : [signal]), this.#closing])
    return this.#client.updates(this.name, query, ended) as AsyncGenerator<ViewUpdate<Data>>
  }

  /** Returns its generations, and the progress and stops of each partition. */
  describe(): Promise<ProjectionInfo> {
    return this.#client.describe(this.name)
  }

  /**
   * Starts to rebuild all views in a new generation. Reads use the old generation until the new one is complete. With an end time or
   * position, the views of that moment are built, and only reads that name the generation get them. The rebuild continues in the
   * background; {@link describe} returns its progress.
   * @throws EventStoreError `outcome-unknown` when the response was lost. {@link describe} shows whether the rebuild has started.
   */
  rebuild(options: RebuildOptions = {}): Promise<{ readonly generation: string }> {
    return this.#client.rebuild(this.name, options)
  }

  /** Discards a generation that is not serving. @throws EventStoreError `generation-not-found`; `invalid-request` when it is serving */
  discard(generation: string): Promise<void> {
    return this.#client.discard(this.name, generation)
  }

  /** Resumes stopped partitions. @returns how many were stopped. */
  resume(): Promise<{ readonly resumed: number }> {
    return this.#client.resume(this.name)
  }

  /** Lists dead letters, oldest first. @param page `limit` is 1 to 1,000, default 100. */
  deadLetters(
    page: { readonly offset?: number; readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    return this.#client.deadLetters(this.name, page)
  }

  /** Applies dead letters again. Each event takes effect once, even if the call is repeated. @param positions at most 1,000; default all. */
  retryDeadLetters(positions?: readonly Position[]): Promise<DeadLetterRetry> {
    return this.#client.retryDeadLetters(this.name, positions)
  }

  /** Deletes dead letters permanently. @param positions at most 1,000. @returns how many were deleted. */
  dropDeadLetters(positions: readonly Position[]): Promise<{ readonly dropped: number }> {
    return this.#client.dropDeadLetters(this.name, positions)
  }
}
