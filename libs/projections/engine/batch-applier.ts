import { Backoff, noJitter, pause } from '#async'
import { formatPartition, type Projection, type TopicPartition } from '#domain'

import type { FedEvent } from '#event-log/records'
import type { Generation } from '../view-store/generation.ts'
import type { ParkedEvent } from '../view-store/parked-event.ts'
import type { ViewSet } from '../view-store/view-set.ts'
import type { CommitOutcome, StoredView, ViewChange } from '../view-store/views.ts'
import type { EngineParts } from './engine-parts.ts'
import { type FoldFailure, foldSteps, type FoldStep, stepsOf } from './fold-events.ts'
import type { Gate } from './gate.ts'

/** The work of a runner: one generation of a projection, from one source partition. */
export interface PartitionWork {
  readonly projection: Projection
  readonly generation: Generation
  readonly source: TopicPartition
  readonly gate: Gate
  readonly parts: EngineParts
}

/** Events up to a checkpoint, to be applied. */
interface Batch {
  readonly from: number | undefined
  readonly events: readonly FedEvent[]
  readonly to: number
}

/** Why a batch was not applied. `again`: resume from the store's checkpoint. `gone`: give up, because the generation is gone. */
export type BatchEnding = 'again' | 'gone'

type Attempt = { readonly ending: BatchEnding | undefined } | { readonly failure: FoldFailure }

type Tried = { readonly failure: FoldFailure } | { readonly outcome: CommitOutcome; readonly changes: number }

const noViews: ReadonlyMap<string, StoredView> = new Map()
const heldPauseMs = 20
const collisionsMax = 100

/** Applies events to views, a whole batch in one step. An event that cannot be applied is retried alone. */
export class BatchApplier {
  readonly #work: PartitionWork
  readonly #set: ViewSet

  constructor(work: PartitionWork) {
    this.#work = work
    this.#set = { projection: work.projection, generation: work.generation.id }
  }

  /** @returns undefined when the whole batch is applied. @throws when the store or the dead letters do not answer. */
  async apply(batch: Batch, signal: AbortSignal): Promise<BatchEnding | undefined> {
    for (let rest = batch; ;) {
      const applied = await this.#attempt(rest, signal)
      if ('ending' in applied) return applied.ending
      const [before, single, after] = splitAt(rest, applied.failure.event)
      const ending =
        (before.events.length > 0 ? await this.apply(before, signal) : undefined) ??
        (await this.#applySingle(single, applied.failure, signal))
      if (ending !== undefined || after.events.length === 0) return ending
      rest = after
    }
  }

  /** Retries one event; after the last try the projection's policy decides what happens to it. */
  async #applySingle(
    batch: Batch,
    first: FoldFailure,
    signal: AbortSignal,
  ): Promise<BatchEnding | undefined> {
    const { triesMax, retryDelayMsMin: delayMsMin, retryDelayMsMax: delayMsMax } = this.#settings
    const backoff = new Backoff({ delayMsMin, delayMsMax }, noJitter)
    let { error } = first
    for (let tries = 1; tries < triesMax; tries++) {
      this.#observer.failed(this.#set, first.event.position, error, false)
      await pause(backoff.nextMs(), signal)
      if (signal.aborted) return 'again'
      const applied = await this.#attempt(batch, signal)
      if ('ending' in applied) return applied.ending
      error = applied.failure.error
    }
    this.#observer.failed(this.#set, first.event.position, error, true)
    return this.#work.projection.onError === 'dead-letter'
      ? this.#park(batch, first.event, error, signal)
      : this.#stop(first.event, error)
  }

  async #stop({ position }: FedEvent, error: Error): Promise<BatchEnding> {
    const stop = { position, error: error.message, stoppedAtMs: Date.now() }
    await this.#work.parts.store.generations.stop(this.#set, this.#work.source, stop)
    this.#observer.stopped(this.#set, this.#work.source, error)
    return 'again'
  }

  async #park(
    batch: Batch,
    { position }: FedEvent,
    error: Error,
    signal: AbortSignal,
  ): Promise<BatchEnding | undefined> {
    await this.#work.parts.deadLetters.add({ set: this.#set, position, error: error.message })
    const parked = [{ position, error: error.message, parkedAtMs: Date.now() }]
    const ending = this.#endingOf(await this.#commit(batch, [], parked, signal))
    if (ending === undefined) this.#observer.parked(this.#set, position, error)
    return ending
  }

  /** Folds and commits. Folds again when a view has changed in between. */
  async #attempt(batch: Batch, signal: AbortSignal): Promise<Attempt> {
    const { projection, gate, source } = this.#work
    const startedMs = performance.now()
    const planned = stepsOf(projection, batch.events.filter(this.#counts))
    if (planned.failure !== undefined) return { failure: planned.failure }
    for (let collisions = 0; collisions < collisionsMax; collisions++) {
      const tried = await gate.run(() => this.#foldAndCommit(batch, planned.steps, signal))
      if ('failure' in tried) return tried
      if (tried.outcome === 'view-changed') {
        this.#observer.refused(this.#set, source, 'view-changed')
        continue
      }
      const ending = this.#endingOf(tried.outcome)
      if (ending === undefined) this.#reportApplied(batch, planned.steps.length, tried.changes, startedMs)
      return { ending }
    }
    throw new Error(
      `views of projection ${projection.name} changed during ${collisionsMax} attempts in a row`,
    )
  }

  async #foldAndCommit(batch: Batch, steps: readonly FoldStep[], signal: AbortSignal): Promise<Tried> {
    const { projection, parts } = this.#work
    const keys = [...new Set(steps.map(({ key }) => key))]
    const stored = keys.length === 0 ? noViews : await parts.store.views.read(this.#set, keys)
    const { changes, failure } = foldSteps(projection, stored, steps)
    if (failure !== undefined) return { failure }
    return { outcome: await this.#commit(batch, changes, [], signal), changes: changes.length }
  }

  /** Commits. Waits while another generation takes over. */
  async #commit(
    { from, to }: Batch,
    changes: readonly ViewChange[],
    parked: readonly ParkedEvent[],
    signal: AbortSignal,
  ): Promise<CommitOutcome> {
    for (;;) {
      const outcome = await this.#work.parts.store.views.commit(this.#set, {
        source: this.#work.source,
        from,
        to,
        changes,
        parked,
      })
      if (outcome !== 'held' || signal.aborted) return outcome
      await pause(heldPauseMs, signal)
    }
  }

  #endingOf(outcome: CommitOutcome): BatchEnding | undefined {
    switch (outcome) {
      case 'committed':
        return undefined
      case 'gone':
        return 'gone'
      case 'checkpoint-moved':
        this.#observer.refused(this.#set, this.#work.source, 'checkpoint-moved')
        return 'again'
      case 'held':
      case 'view-changed':
        return 'again'
    }
  }

  #reportApplied({ events, to }: Batch, handled: number, changes: number, startedMs: number): void {
    const skipped = events.length - handled
    this.#observer.applied({
      set: this.#set,
      source: this.#work.source,
      events: events.length,
      batch: events,
      skipped,
      changes,
      checkpoint: to,
      tookMs: performance.now() - startedMs,
    })
  }

  /** A look at the past leaves later events out. An unreadable event counts by the time of its record. */
  readonly #counts = (event: FedEvent): boolean => {
    const { until } = this.#work.generation
    if (until === undefined || until.exact?.source === formatPartition(this.#work.source)) return true
    return Date.parse(event.timestamp) < until.beforeMs
  }

  get #settings() {
    return this.#work.parts.settings
  }

  get #observer() {
    return this.#work.parts.observer
  }
}

/** Splits a batch at an event: before it, the event, and after it; each part ends where the next one begins. */
function splitAt({ from, events, to }: Batch, event: FedEvent): readonly [Batch, Batch, Batch] {
  const at = events.indexOf(event)
  const { offset } = event.position
  const next = events[at + 1]?.position.offset ?? to
  return [
    { from, events: events.slice(0, at), to: offset },
    { from: at > 0 ? offset : from, events: [event], to: next },
    { from: next, events: events.slice(at + 1), to },
  ]
}
