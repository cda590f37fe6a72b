import { expect } from 'vitest'

import { formatPartition, type Position, position, type TopicPartition } from '#domain'

import type { NewGeneration } from '../view-store/generation.ts'
import type { AddOptions, GenerationState } from '../view-store/generations.ts'
import type { UnpublishedView } from '../view-store/outbox.ts'
import type { ParkedEvent } from '../view-store/parked-event.ts'
import type { StoredProjection, ViewSet } from '../view-store/view-set.ts'
import type { ViewStore } from '../view-store/view-store.ts'
import type { CommitOutcome, Lookup, ViewChange, ViewCommit } from '../view-store/views.ts'
import type { TestClock } from './test-clock.ts'

export const topic = 'eventstore.order'
export const source = (partition = 0): TopicPartition => ({ topic, partition })
export const at = (offset: number, partition = 0): Position => position(topic, partition, offset)

/** A change to `{ n }`, by default of a view that does not exist yet. */
export const change = (key: string, n: number | null, more: Partial<ViewChange> = {}): ViewChange => ({
  key,
  expected: 0,
  json: n === null ? null : JSON.stringify({ n }),
  indexes: {},
  changedAtMs: 1000,
  ...more,
})

export const parkedEvent = (offset: number, more: Partial<ParkedEvent> = {}): ParkedEvent => ({
  position: at(offset),
  error: `event ${offset} makes no sense`,
  parkedAtMs: 5000,
  ...more,
})

/** The fields of a commit that a test sets. Default: partition 0 from no checkpoint to 1, without changes. */
type CommitDraft = Partial<Omit<ViewCommit, 'source'>> & { readonly partition?: number }

/** The JSON of `{ n }`, with or without white space: stores may change it. */
export const jsonOf = (n: number): unknown => expect.stringMatching(new RegExp(`^\\{"n": ?${n}\\}$`))

/** The result of a lookup. Fails when nothing was found. */
export function found<Found>(lookup: Lookup<Found>): Found {
  if (lookup.outcome === 'found') return lookup.found
  throw new Error(`expected a lookup with a result, got ${lookup.outcome}`)
}

/** A projection in the store under test, with helpers for common steps of tests. */
export class TestedProjection {
  readonly stored: StoredProjection
  readonly #store: ViewStore
  readonly #clock: TestClock

  constructor(store: ViewStore, clock: TestClock, stored: StoredProjection) {
    this.#store = store
    this.#clock = clock
    this.stored = stored
  }

  set(generation: string): ViewSet {
    return { projection: this.stored, generation }
  }

  newGeneration(id: string, more: Partial<NewGeneration> = {}): NewGeneration {
    return {
      id,
      viewVersion: 1,
      indexNames: this.stored.indexNames,
      createdAtMs: this.#clock.now(),
      topicIds: { [topic]: 'kc1bZ2XqTlGtyzmFpIbDsg' },
      range: { [formatPartition(source())]: { start: 0, end: 100 } },
      ...more,
    }
  }

  add(id: string, more: Partial<NewGeneration> = {}, options?: AddOptions): Promise<boolean> {
    return this.#store.generations.add(this.stored, this.newGeneration(id, more), options)
  }

  /** Status by id. */
  async statuses(): Promise<Record<string, string>> {
    const generations = await this.#store.generations.list(this.stored)
    return Object.fromEntries(generations.map(({ id, status }) => [id, status]))
  }

  async state(id: string): Promise<GenerationState> {
    const state = (await this.#store.generations.list(this.stored)).find((generation) => generation.id === id)
    if (state === undefined) throw new Error(`no generation ${id}`)
    return state
  }

  async checkpoint(id: string, partition = 0): Promise<number | undefined> {
    return (await this.state(id)).checkpoints.get(formatPartition(source(partition)))
  }

  commit(id: string, { partition, ...step }: CommitDraft): Promise<CommitOutcome> {
    return this.#store.views.commit(this.set(id), {
      source: source(partition),
      from: undefined,
      to: 1,
      changes: [],
      parked: [],
      ...step,
    })
  }

  /** Moves a checkpoint to an offset from its current value. */
  async moveTo(id: string, to: number, partition = 0): Promise<void> {
    const from = await this.checkpoint(id, partition)
    expect(await this.commit(id, { partition, from, to })).toBe('committed')
  }

  /** Changes views from their current state in one commit that moves the checkpoint of partition 0 by one. */
  async write(
    id: string,
    views: Readonly<Record<string, number | null>>,
    more: Partial<ViewChange> = {},
  ): Promise<void> {
    const entries = Object.entries(views)
    await this.writeChanges(
      id,
      entries.map(([key, n]) => change(key, n, more)),
    )
  }

  /** The same with given changes. Their expected revisions are filled in. */
  async writeChanges(id: string, changes: readonly ViewChange[], parked: readonly ParkedEvent[] = []) {
    const now = await this.#store.views.read(
      this.set(id),
      changes.map(({ key }) => key),
    )
    const from = await this.checkpoint(id)
    const expected = changes.map((it) => ({ ...it, expected: now.get(it.key)?.revision ?? 0 }))
    expect(await this.commit(id, { from, to: (from ?? 0) + 1, changes: expected, parked })).toBe('committed')
  }

  async revision(id: string, key: string): Promise<number> {
    return (await this.#store.views.read(this.set(id), [key])).get(key)?.revision ?? 0
  }

  /** `n` of views by key; absent ones are left out. */
  async values(id: string, keys: readonly string[]): Promise<Record<string, unknown>> {
    const views = await this.#store.views.read(this.set(id), keys)
    return Object.fromEntries([...views].map(([key, { json }]) => [key, valueOf(json)]))
  }

  /** All unpublished views by key. */
  async unpublished(id: string): Promise<Map<string, UnpublishedView>> {
    const views = await this.#store.outbox.unpublished(this.set(id), 10_000)
    expect(new Set(views.map(({ key }) => key)).size).toBe(views.length)
    return new Map(views.map((view) => [view.key, view]))
  }

  /** `n` of unpublished views by key; null for deleted ones. */
  async unpublishedValues(id: string): Promise<Record<string, unknown>> {
    const views = await this.unpublished(id)
    return Object.fromEntries(
      [...views].map(([key, { json }]) => [key, json === null ? null : valueOf(json)]),
    )
  }

  async publishAll(id: string): Promise<void> {
    await this.#store.outbox.markPublished(this.set(id), [...(await this.unpublished(id)).values()])
  }
}

const valueOf = (json: string): unknown => (JSON.parse(json) as { readonly n: unknown }).n
