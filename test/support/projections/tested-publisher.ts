import pino from 'pino'
import { Registry } from 'prom-client'
import { expect, onTestFinished, vi } from 'vitest'

import { defineProjection, type Projection } from '#domain'
import { LogError, type LogOutcome } from '#kafka'
import {
  type GenerationState,
  InMemoryViewStore,
  type NewGeneration,
  type UnpublishedView,
  type ViewSet,
  ViewStoreUnavailableError,
} from '#projections'

import { ChangelogMetrics, ChangelogPublisher } from '../../../services/projector/changelog/index.ts'
import type { RefusedView } from '../../../services/projector/changelog/changelog-writer.ts'
import { GenerationWatch } from '../../../services/projector/generation-watch.ts'
import { waitFor } from '../stack/stack.ts'

/** The projection whose views are published. */
export const projection: Projection = defineProjection({
  name: 'counts',
  source: 'order',
  keyedBy: 'stream',
  initialView: 0,
  on: {},
})

/** An empty generation without source partitions. */
export const generation = (id: string, viewVersion = 1): NewGeneration => ({
  id,
  viewVersion,
  indexNames: [],
  createdAtMs: 0,
  topicIds: {},
  range: {},
})

/** A store with one source partition that fails intermittently. */
export class TestStore extends InMemoryViewStore {
  readonly calls: string[] = []
  marksThatFail = 0
  /** Generations that have caught up with their log. */
  readonly whole = new Set(['g1', 'g2'])
  wholeAsked = 0
  #checkpoint = 0
  readonly #revisions = new Map<string, number>()

  isWhole({ id }: GenerationState): Promise<boolean> {
    this.wholeAsked++
    return Promise.resolve(this.whole.has(id))
  }

  constructor() {
    super()
    const unpublished = this.outbox.unpublished.bind(this.outbox)
    const markPublished = this.outbox.markPublished.bind(this.outbox)
    this.outbox.unpublished = (set, limit) => {
      this.calls.push('unpublished')
      return unpublished(set, limit)
    }
    this.outbox.markPublished = (set, published) =>
      this.marksThatFail-- > 0
        ? Promise.reject(new ViewStoreUnavailableError('no answer'))
        : markPublished(set, published)
  }

  async change(set: ViewSet, key: string, json: string | null, expiresAtMs?: number): Promise<void> {
    const change = {
      key,
      expected: this.#revisions.get(key) ?? 0,
      json,
      indexes: {},
      changedAtMs: 1,
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    }
    const from = this.#checkpoint === 0 ? undefined : this.#checkpoint
    const commit = {
      source: { topic: 'eventstore.order', partition: 0 },
      from,
      changes: [change],
      parked: [],
    }
    expect(await this.views.commit(set, { ...commit, to: ++this.#checkpoint })).toBe('committed')
    const stored = await this.views.read(set, [key])
    this.#revisions.set(key, stored.get(key)?.revision ?? 0)
  }
}

/** Records what is published, and fails on demand. */
export class TestWriter {
  readonly published: string[] = []
  readonly refusedKeys = new Set<string>()
  readonly failures: Error[] = []
  takeOvers = 0
  renewals = 0
  calls: string[] = []
  gate: Promise<void> = Promise.resolve()

  takeOver(): Promise<void> {
    this.calls.push('takeOver')
    this.takeOvers++
    return Promise.resolve()
  }

  async publish(generation: string, views: readonly UnpublishedView[]): Promise<readonly RefusedView[]> {
    await this.gate
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
    const refused = views.filter(({ key }) => this.refusedKeys.has(key))
    for (const view of views) {
      if (!refused.includes(view)) this.published.push(`${generation} ${view.key} ${view.json}`)
    }
    return refused.map((view) => ({ view, reason: new Error('it does not match') }))
  }

  renew(): Promise<void> {
    this.renewals++
    return Promise.resolve()
  }
}

/** How a publisher ended: by its signal, or by an error of the log. */
export type Ending = 'stopped' | LogOutcome

/** Resolves when a publisher has ended. Rejects if it failed otherwise. */
export const endingOf = (running: Promise<void>): Promise<Ending> =>
  running.then(
    () => 'stopped',
    (error: unknown) => {
      if (error instanceof LogError) return error.outcome
      throw error
    },
  )

/** A publisher of generation `g1`, with its store and writer. */
export interface TestedPublisher {
  readonly store: TestStore
  readonly writer: TestWriter
  readonly set: ViewSet
  readonly publisher: ChangelogPublisher
  readonly metrics: Registry
  /** Called when the publisher reports that it serves. */
  readonly serving: () => void
  /** Starts the publisher; it ends with the test. */
  readonly start: () => Promise<Ending>
  readonly settled: () => Promise<void>
}

/**
 * Creates a publisher, which ends with the test.
 * @param isOn whether the projection has a changelog.
 */
export async function testedPublisher(kept: Projection = projection, isOn = true): Promise<TestedPublisher> {
  const store = new TestStore()
  const writer = new TestWriter()
  writer.calls = store.calls
  const set = { projection: kept, generation: 'g1' }
  await store.prepare(kept)
  await store.generations.add(kept, generation('g1'))
  const metrics = new Registry()
  const publisher = new ChangelogPublisher({
    projection: kept,
    store,
    watch: new GenerationWatch(store.generations),
    writer: isOn ? writer : undefined,
    isWhole: (state) => store.isWhole(state),
    metrics: new ChangelogMetrics(metrics),
    logger: pino({ level: 'silent' }),
  })
  const stopping = new AbortController()
  let running: Promise<unknown> = Promise.resolve()
  onTestFinished(async () => {
    stopping.abort()
    await running
  })
  const serving = vi.fn()
  const start = () => {
    const run = endingOf(publisher.run({ signal: stopping.signal, serving }))
    running = run
    return run
  }
  const settled = async () => {
    await waitFor('all to be published', async () => {
      const all = await store.generations.list(kept)
      return all.every(({ unpublished }) => unpublished === 0)
    })
  }
  return { store, writer, set, publisher, metrics, serving, start, settled }
}
