import { formatPartition, type Projection, type TopicPartition } from '#domain'

import type { FedEvent } from '#event-log/records'
import type { Generation } from '../generation.ts'
import type { CommitOutcome, ParkedEvent, StoredView, ViewChange, ViewSet } from '../view-store.ts'
import type { EngineParts } from './engine-parts.ts'
import { type Failure, foldSteps, type Step, stepsOf } from './fold-events.ts'
import { pause } from './pause.ts'
import type { Gate } from './gate.ts'

/** What a runner makes: one generation of a projection, as far as it comes from one source partition. */
export interface PartitionWork {
  readonly projection: Projection
  readonly generation: Generation
  readonly source: TopicPartition
  readonly gate: Gate
  readonly parts: EngineParts
}

/** Events up to a checkpoint, to be applied. */
export interface Batch {
  readonly from: number | undefined
  readonly events: readonly FedEvent[]
  readonly to: number
}

/** Why a batch was not applied: begin anew from the store's checkpoint, or give up, for the generation is gone. */
export type Ending = 'again' | 'gone'

type Attempt = { readonly ending: Ending | undefined } | { readonly failure: Failure }

type Tried = { readonly failure: Failure } | { readonly outcome: CommitOutcome; readonly changes: number }

const noViews: ReadonlyMap<string, StoredView> = new Map()
const heldPauseMs = 20
const collisionsMax = 100

/** Applies events to views, all of a batch in one step; an event that cannot be applied is tried by itself. */
export class BatchApplier {
  readonly #work: PartitionWork
  readonly #set: ViewSet

  constructor(work: PartitionWork) {
    this.#work = work
    this.#set = { projection: work.projection, generation: work.generation.id }
  }

  /** @returns undefined when all of it is applied. @throws whatever keeps the store or the dead letters from answering. */
  async apply(batch: Batch, signal: AbortSignal): Promise<Ending | undefined> {
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

  /** Tries one event again and again; after the last try the projection's policy says what becomes of it. */
  async #applySingle(batch: Batch, first: Failure, signal: AbortSignal): Promise<Ending | undefined> {
    const { triesMax, retryDelayMsMin, retryDelayMsMax } = this.#settings
    let { error } = first
    for (let tries = 1; tries < triesMax; tries++) {
      this.#observer.failed(this.#set, first.event.position, error, false)
      await pause(Math.min(retryDelayMsMin * 2 ** (tries - 1), retryDelayMsMax), signal)
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

  async #stop({ position }: FedEvent, error: Error): Promise<Ending> {
    const stop = { position, error: error.message, stoppedAtMs: Date.now() }
    await this.#work.parts.store.stop(this.#set, this.#work.source, stop)
    this.#observer.stopped(this.#set, this.#work.source, error)
    return 'again'
  }

  async #park(
    batch: Batch,
    { position }: FedEvent,
    error: Error,
    signal: AbortSignal,
  ): Promise<Ending | undefined> {
    await this.#work.parts.deadLetters.add({ set: this.#set, position, error: error.message })
    const parked = [{ position, error: error.message, parkedAtMs: Date.now() }]
    const ending = this.#endingOf(await this.#commit(batch, [], parked, signal))
    if (ending === undefined) this.#observer.parked(this.#set, position, error)
    return ending
  }

  /** Folds and commits, anew where a view has changed meanwhile. */
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
      if (ending === undefined) this.#tellApplied(batch, planned.steps.length, tried.changes, startedMs)
      return { ending }
    }
    throw new Error(`views of projection ${projection.name} changed under ${collisionsMax} tries in a row`)
  }

  async #foldAndCommit(batch: Batch, steps: readonly Step[], signal: AbortSignal): Promise<Tried> {
    const { projection, parts } = this.#work
    const keys = [...new Set(steps.map(({ key }) => key))]
    const stored = keys.length === 0 ? noViews : await parts.store.read(this.#set, keys)
    const { changes, failure } = foldSteps(projection, stored, steps)
    if (failure !== undefined) return { failure }
    return { outcome: await this.#commit(batch, changes, [], signal), changes: changes.length }
  }

  /** Commits; while another generation takes over, waits. */
  async #commit(
    { from, to }: Batch,
    changes: readonly ViewChange[],
    parked: readonly ParkedEvent[],
    signal: AbortSignal,
  ): Promise<CommitOutcome> {
    for (;;) {
      const outcome = await this.#work.parts.store.commit(this.#set, {
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

  #endingOf(outcome: CommitOutcome): Ending | undefined {
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

  #tellApplied({ events, to }: Batch, handled: number, changes: number, startedMs: number): void {
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

  /** A look at the past leaves out what is later. An unreadable event counts by the time of its record. */
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

/** What is before an event, the event, and what is behind it; each ends where the next one begins. */
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
