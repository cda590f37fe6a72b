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

export interface SubscribeViewsOptions {
  /** Of the last update that was dealt with: begins right after it. Default: with all views as they are now. */
  readonly cursor?: string
  /** Only what changes from now on; a cursor counts more. */
  readonly fromNow?: boolean
  /** Only this view. */
  readonly key?: string
  /** Ends the subscription. */
  readonly signal?: AbortSignal
  /** Called with the cursor from time to time while only other views change, and at once with `fromNow`. Save it like the cursor of an update. */
  readonly onProgress?: OnProgress
}

/** One projection, its views typed by its definition. All methods reject with EventStoreError. */
export class ProjectionHandle<Data = unknown> {
  readonly name: string
  readonly #client: ProjectionsClient
  readonly #closing: AbortSignal

  /** @param closing ends the subscriptions. */
  constructor(name: string, client: ProjectionsClient, closing: AbortSignal) {
    this.name = name
    this.#client = client
    this.#closing = closing
  }

  /**
   * A view by its key; undefined where there is none. To read what an append has just changed, give its `position` as
   * `after`: then the read waits until the projection has it, 5 s unless `timeoutMs` says otherwise.
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

  /** One page of views, by key or by a declared index: go on with `next` as the `cursor`. */
  async list(query: ViewsQuery = {}): Promise<ViewsPage<Data>> {
    return (await this.#client.views(this.name, query)) as ViewsPage<Data>
  }

  /** Iterates over views, page by page. Of a view that changes its place meanwhile, both places may be seen, or neither. */
  async *listAll(query: ViewsQuery = {}): AsyncGenerator<View<Data>, void, undefined> {
    let { cursor } = query
    for (;;) {
      const { views, next } = await this.list(cursor === undefined ? query : { ...query, cursor })
      yield* views
      if (next === undefined) return
      // A server that names the same page as the next one again would keep its reader for ever.
      if (next === cursor) throw new EventStoreError('internal', `the pages of ${this.name} do not get ahead`)
      cursor = next
    }
  }

  /**
   * Live changes: all views as they are now first, then each change. Goes on over broken connections without loss; keep the
   * cursor of the last update, or that of `onProgress`, to go on after a restart. A view that is gone is null.
   * @throws EventStoreError when the limits of the retries are reached without an update.
   */
  subscribe({ signal, ...query }: SubscribeViewsOptions = {}): AsyncGenerator<ViewUpdate<Data>> {
    const ended = AbortSignal.any([...(signal === undefined ? [] : [signal]), this.#closing])
    return this.#client.updates(this.name, query, ended) as AsyncGenerator<ViewUpdate<Data>>
  }

  /** Its generations, how far each is in each partition, and what stands still. */
  describe(): Promise<ProjectionInfo> {
    return this.#client.describe(this.name)
  }

  /**
   * Builds all views anew, beside those that readers get; or as they were at a time or position, for those who name the
   * generation. Answers when it has begun: {@link describe} tells how far it is.
   * @throws EventStoreError `outcome-unknown` where the answer was lost: then {@link describe} tells whether it has begun.
   */
  rebuild(options: RebuildOptions = {}): Promise<{ readonly generation: string }> {
    return this.#client.rebuild(this.name, options)
  }

  /** Gives up a generation that does not serve. @throws EventStoreError `generation-not-found`, `invalid-request` where it serves */
  discard(generation: string): Promise<void> {
    return this.#client.discard(this.name, generation)
  }

  /** Lets stopped partitions go on. @returns how many were stopped. */
  resume(): Promise<{ readonly resumed: number }> {
    return this.#client.resume(this.name)
  }

  /** Events that were set aside, oldest first. @param page `limit` is 1 to 1,000, default 100. */
  deadLetters(
    page: { readonly offset?: number; readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    return this.#client.deadLetters(this.name, page)
  }

  /** Applies events that were set aside, each once however often it is asked. @param positions at most 1,000; default: all there are. */
  retryDeadLetters(positions?: readonly Position[]): Promise<DeadLetterRetry> {
    return this.#client.retryDeadLetters(this.name, positions)
  }

  /** Gives them up for good. @param positions at most 1,000. @returns how many there were. */
  dropDeadLetters(positions: readonly Position[]): Promise<{ readonly dropped: number }> {
    return this.#client.dropDeadLetters(this.name, positions)
  }
}
