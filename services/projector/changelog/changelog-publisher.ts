import type { Logger } from 'pino'

import type { Projection } from '#domain'
import { Renewal, type TermContext } from '#ownership'
import { type GenerationState, type UnpublishedView, type ViewSet, type ViewStore } from '#projections'

import type { ChangelogMetrics } from './changelog-metrics.ts'
import { type ChangelogWriter, endsWriter, type RefusedView } from './changelog-writer.ts'
import type { GenerationLooks, GenerationWatch } from '../generation-watch.ts'
import { discardRetired, expireViews } from './housekeeping.ts'
import { repeat } from './repeat.ts'

export interface ChangelogPublisherParts {
  readonly projection: Projection
  readonly store: Pick<ViewStore, 'views' | 'outbox' | 'generations'>
  readonly watch: GenerationWatch
  /** Undefined if the changelog is switched off. Views then count as published immediately. */
  readonly writer: Pick<ChangelogWriter, 'takeOver' | 'publish' | 'renew'> | undefined
  /** Whether a generation has caught up with its log. */
  readonly isWhole: (generation: GenerationState) => Promise<boolean>
  readonly metrics: ChangelogMetrics
  readonly logger: Logger
}

/** Views of one batch. */
const viewsMax = 2_000
/** Changes are collected for this time: only the latest state of a frequently changing view is published, and few large batches cost less. */
const gatherMs = 20
/** Interval at which the store is read for commits of other instances. */
const pollMs = 200
/** Interval of renewals. Brokers forget a fence that is not renewed, by default after a day. */
const renewalMs = 3_600_000
const expiryMs = 1_000
/** Pause between two steps of discarding, which lets commits proceed. */
const discardMs = 10
const refusedMax = 1_000

/**
 * Maintains one projection: publishes the changes of its serving generation, discards retired generations, and drops
 * expired views. One instance does so at a time; a second one is harmless.
 */
export class ChangelogPublisher {
  readonly #parts: ChangelogPublisherParts
  #looks: GenerationLooks | undefined
  /** Revisions of rejected views of the generation, by key. They are not retried until they change. */
  readonly #refused = new Map<string, number>()
  #generation = ''
  #renewal: Renewal | undefined

  constructor(parts: ChangelogPublisherParts) {
    this.#parts = parts
  }

  /** Reports a commit: the store is read in 20 ms, with the commits that follow until then. */
  wake(): void {
    this.#looks?.hurry(gatherMs)
  }

  /**
   * Runs until the signal aborts. Reports that it serves once all partitions of the changelog are taken over. Failures
   * are retried with delays of up to 10 s.
   * @throws LogError `fenced` when another instance maintains the projection; `log-replaced`.
   */
  async run({ signal, serving }: TermContext): Promise<void> {
    const done = new AbortController()
    const either = AbortSignal.any([signal, done.signal])
    const keeping = this.#keepHouse(either)
    try {
      await this.#publishAll({ signal: either, serving })
    } finally {
      done.abort()
      await keeping
    }
  }

  #publishAll({ signal, serving }: TermContext): Promise<void> {
    const looks = (this.#looks = this.#looksUntil(signal))
    let waitMs = 0
    return repeat({
      signal,
      step: async () => {
        await this.#holdFence(serving)
        await this.#publishServing((await looks.next(waitMs)) ?? [], signal)
        waitMs = pollMs
      },
      isFinal: endsWriter,
      failed: (error, retryInMs) => {
        waitMs = 0
        this.#note('publishing its views', error, retryInMs)
      },
    })
  }

  #keepHouse(signal: AbortSignal): Promise<void> {
    const { store, projection, isWhole, metrics } = this.#parts
    const looks = this.#looksUntil(signal)
    let expireAtMs = 0
    let waitMs = 0
    return repeat({
      signal,
      step: async () => {
        const generations = await looks.next(waitMs)
        if (generations === undefined) return
        const isLeft = await discardRetired(store.generations, projection, generations)
        waitMs = isLeft ? discardMs : expiryMs
        if (performance.now() < expireAtMs) return
        expireAtMs = performance.now() + expiryMs
        metrics.expired(projection.name, await expireViews(store.views, projection, generations, isWhole))
      },
      failed: (error, retryInMs) => this.#note('discarding its generations', error, retryInMs),
    })
  }

  #looksUntil(signal: AbortSignal): GenerationLooks {
    const looks = this.#parts.watch.looks(this.#parts.projection)
    signal.addEventListener('abort', () => looks.end(), { once: true })
    return looks
  }

  /** Takes over before views are read, so that all views that another instance has published are older. */
  async #holdFence(serving: () => void): Promise<void> {
    const { writer } = this.#parts
    if (writer === undefined) return
    await writer.takeOver()
    const renewal = (this.#renewal ??= new Renewal(renewalMs))
    if (renewal.isDue()) {
      await writer.renew()
      renewal.renewed()
    }
    serving()
  }

  async #publishServing(generations: readonly GenerationState[], signal: AbortSignal): Promise<void> {
    const { projection } = this.#parts
    const serving = generations.find(({ status }) => status === 'serving')
    if (serving === undefined || serving.unpublished === 0) return
    if (serving.id !== this.#generation) this.#refused.clear()
    this.#generation = serving.id
    const set = { projection, generation: serving.id }
    for (let more = true; more && !signal.aborted;) more = await this.#publishSome(set)
  }

  /** @returns whether there may be more views. */
  async #publishSome(set: ViewSet): Promise<boolean> {
    const { store, writer, metrics } = this.#parts
    const { name } = this.#parts.projection
    const limit = viewsMax + this.#refused.size
    const found = await store.outbox.unpublished(set, limit)
    const views = found.filter(({ key, revision }) => this.#refused.get(key) !== revision)
    if (views.length === 0) return false
    const refused = (await writer?.publish(set.generation, views)) ?? []
    const left = new Set(refused.map(({ view }) => view))
    const published = views.filter((view) => !left.has(view))
    await store.outbox.markPublished(set, published)
    if (writer !== undefined) metrics.published(name, published.length)
    this.#letBe(published, refused)
    return found.length >= limit
  }

  /** @throws Error when there are so many that they would displace the others. Publishing then slows down. */
  #letBe(published: readonly UnpublishedView[], refused: readonly RefusedView[]): void {
    const { projection, metrics, logger } = this.#parts
    for (const { key } of published) this.#refused.delete(key)
    for (const { view, reason } of refused) {
      if (this.#refused.size >= refusedMax) {
        throw new Error(`more than ${refusedMax} views are rejected: ${reason.message}`, { cause: reason })
      }
      this.#refused.set(view.key, view.revision)
      metrics.refused(projection.name)
      logger.error(
        { key: view.key, reason: reason.message },
        `a view of ${projection.name} is left out of its changelog`,
      )
    }
  }

  #note(what: string, error: unknown, retryInMs: number): void {
    const { projection, metrics, logger } = this.#parts
    metrics.failed(projection.name)
    logger.warn({ err: error, retryInMs }, `projection ${projection.name}: ${what} failed, retrying`)
  }
}
