import { requestTurns } from '#bounds'
import { formatPartition, type Position } from '#domain'
import { type AppliedStep, type GenerationState, ProjectionError, type StoredProjection } from '#projections'

import type { GenerationLooks, GenerationWatch } from './generation-watch.ts'

/** An event that a read waits for. */
export interface Awaited {
  readonly projection: StoredProjection
  readonly after: Position
  /** Default: the serving generation. */
  readonly generation: string | undefined
}

interface Waiter {
  readonly source: string
  readonly offset: number
  readonly generation: string | undefined
  readonly wake: () => void
}

/** The waiters of one projection, and the reads of the store that they share. */
interface Waiters {
  readonly all: Set<Waiter>
  readonly looks: GenerationLooks
}

/** Interval at which the store is read, once for all waiters of a projection: other instances do not notify this one. */
const lookMs = 20

/**
 * Wakes the reads that wait for an event to be applied: immediately if this instance applies it, shortly after if
 * another one does. A step wakes only the reads of its events, so many waiters do not slow each other down.
 */
export class AppliedEvents {
  readonly #watch: GenerationWatch
  readonly #waiting = new Map<string, Waiters>()
  readonly #latest = new Map<string, { readonly step: number; readonly checkpoint: number }>()
  readonly #waitersMax: number
  #steps = 0
  #waiters = 0

  /** @param waitersMax total of all projections */
  constructor(watch: GenerationWatch, waitersMax: number) {
    this.#watch = watch
    this.#waitersMax = waitersMax
  }

  /** The number of steps of this instance. Callers remember it before they read the store. */
  get steps(): number {
    return this.#steps
  }

  /** Reports a step of this instance. */
  applied({ set, source, checkpoint }: Pick<AppliedStep, 'set' | 'source' | 'checkpoint'>): void {
    const { name } = set.projection
    const key = formatPartition(source)
    this.#latest.set(`${name}/${key}`, { step: ++this.#steps, checkpoint })
    for (const { source: awaited, offset, wake } of this.#waiting.get(name)?.all ?? []) {
      if (offset < checkpoint && awaited === key) wake()
    }
  }

  /**
   * Waits until the event is probably applied, at most `msMax`. The caller checks the store afterwards.
   * @param seen the value of `steps` before the store was last read.
   * @throws ProjectionError `overloaded` when too many reads wait
   */
  async next({ projection, after, generation }: Awaited, seen: number, msMax: number): Promise<void> {
    if (this.#isAppliedHere(projection, after, seen)) return
    this.#checkRoom(projection)
    const source = formatPartition(after)
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const waiter = { source, offset: after.offset, generation, wake: () => resolve(undefined) }
    // Hundreds of reads may wait. Those that time out resume in turns.
    const timer = setTimeout(() => requestTurns.queue(waiter.wake), Math.max(1, msMax))
    const waiting = this.#waitingFor(projection)
    waiting.all.add(waiter)
    this.#waiters++
    await promise
    this.#waiters--
    clearTimeout(timer)
    waiting.all.delete(waiter)
    if (waiting.all.size > 0 || this.#waiting.get(projection.name) !== waiting) return
    this.#waiting.delete(projection.name)
    waiting.looks.end()
  }

  /**
   * Admits a read before it reads the store, so that a rejected read is cheap.
   * @throws ProjectionError `overloaded` when too many reads wait, unless the event is known to be applied
   */
  admit({ projection, after }: Awaited): void {
    if (!this.#isAppliedHere(projection, after, 0)) this.#checkRoom(projection)
  }

  #checkRoom({ name }: StoredProjection): void {
    if (this.#waiters >= this.#waitersMax) throw tooMany(this.#waiters, name)
  }

  #isAppliedHere({ name }: StoredProjection, after: Position, sinceStep: number): boolean {
    const latest = this.#latest.get(`${name}/${formatPartition(after)}`)
    return latest !== undefined && latest.step > sinceStep && latest.checkpoint > after.offset
  }

  /** The first waiter of a projection starts the reads of its generations; the last one ends them. */
  #waitingFor(projection: StoredProjection): Waiters {
    const known = this.#waiting.get(projection.name)
    if (known !== undefined) return known
    const waiting = { all: new Set<Waiter>(), looks: this.#watch.looks(projection) }
    this.#waiting.set(projection.name, waiting)
    void this.#look(waiting)
    return waiting
  }

  async #look({ all, looks }: Waiters): Promise<void> {
    for (;;) {
      try {
        const states = await looks.next(lookMs)
        if (states === undefined) return
        for (const waiter of all) if (isApplied(waiter, states)) waiter.wake()
      } catch {
        // The waiters read the store themselves and see that it does not answer.
        for (const { wake } of all) wake()
      }
    }
  }
}

const tooMany = (waiters: number, projection: string): ProjectionError =>
  new ProjectionError(
    'overloaded',
    `${waiters} reads wait for their event, which is the limit (ANNALS_PROJECTOR_WAITERS_MAX): read ${projection} without \`after\`, or try again in a second`,
    { retryAfterSeconds: 1 },
  )

/** Also true if there is no such generation, because waiting for it is pointless. */
function isApplied({ source, offset, generation }: Waiter, states: readonly GenerationState[]): boolean {
  const state = states.find(({ id, status }) =>
    generation === undefined ? status === 'serving' : id === generation,
  )
  return state === undefined || (state.checkpoints.get(source) ?? 0) > offset
}
