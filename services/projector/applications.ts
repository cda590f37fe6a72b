import { requestTurns } from '#bounds'
import { formatPartition, type Position } from '#domain'
import { EventStoreError } from '#event-store'
import { type AppliedStep, type GenerationState, type StoredProjection, type ViewStore } from '#projections'

/** An event that somebody waits for. */
export interface Awaited {
  readonly projection: StoredProjection
  readonly after: Position
  /** Default: the one that serves. */
  readonly generation: string | undefined
}

interface Waiter {
  readonly source: string
  readonly offset: number
  readonly generation: string | undefined
  readonly wake: () => void
}

/** Other instances tell nothing: the store is looked at this often, once for all who wait for a projection. */
const lookMs = 20

/**
 * Wakes those who wait for an event to be applied: at once where it is applied here, soon where it is elsewhere. Only
 * those whose event it is: if all looked again at every step, the more there are the longer all would wait.
 */
export class Applications {
  readonly #store: Pick<ViewStore, 'generations'>
  readonly #waiting = new Map<string, Set<Waiter>>()
  readonly #latest = new Map<string, { readonly step: number; readonly checkpoint: number }>()
  readonly #waitersMax: number
  #steps = 0
  #waiters = 0

  /** @param waitersMax of all projections together */
  constructor(store: Pick<ViewStore, 'generations'>, waitersMax: number) {
    this.#store = store
    this.#waitersMax = waitersMax
  }

  /** How many steps were taken here; to be remembered before looking at the store. */
  get steps(): number {
    return this.#steps
  }

  /** A step was taken here. */
  applied({ set, source, checkpoint }: Pick<AppliedStep, 'set' | 'source' | 'checkpoint'>): void {
    const { name } = set.projection
    const key = formatPartition(source)
    this.#latest.set(`${name}/${key}`, { step: ++this.#steps, checkpoint })
    for (const { source: awaited, offset, wake } of this.#waiting.get(name) ?? []) {
      if (offset < checkpoint && awaited === key) wake()
    }
  }

  /**
   * Waits until the event seems to be applied, and no longer than `msMax`; whether it is, the store tells.
   * @param seen `steps` as it was before the store was last looked at.
   * @throws EventStoreError `overloaded` when too many wait
   */
  async next({ projection, after, generation }: Awaited, seen: number, msMax: number): Promise<void> {
    if (this.#isAppliedHere(projection, after, seen)) return
    this.#checkRoom(projection)
    const source = formatPartition(after)
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const waiter = { source, offset: after.offset, generation, wake: () => resolve(undefined) }
    // Hundreds may have come together; those that waited in vain go in turns.
    const timer = setTimeout(() => requestTurns.queue(waiter.wake), Math.max(1, msMax))
    const waiting = this.#waitingFor(projection)
    waiting.add(waiter)
    this.#waiters++
    await promise
    this.#waiters--
    clearTimeout(timer)
    waiting.delete(waiter)
  }

  /**
   * To be asked before the store is: a read that will have to wait, and may not, shall cost nothing.
   * @throws EventStoreError `overloaded` when too many wait, unless the event is known to be applied
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

  /** Where nobody waits for a projection yet, somebody begins to look at the store; that ends when nobody waits any more. */
  #waitingFor(projection: StoredProjection): Set<Waiter> {
    const known = this.#waiting.get(projection.name)
    if (known !== undefined) return known
    const waiting = new Set<Waiter>()
    this.#waiting.set(projection.name, waiting)
    void this.#look(projection, waiting)
    return waiting
  }

  async #look(projection: StoredProjection, waiting: ReadonlySet<Waiter>): Promise<void> {
    do {
      await new Promise((resolve) => setTimeout(resolve, lookMs))
      try {
        const states = waiting.size > 0 ? await this.#store.generations(projection) : []
        for (const waiter of waiting) if (isApplied(waiter, states)) waiter.wake()
      } catch {
        // They look themselves, and see that the store does not answer.
        for (const { wake } of waiting) wake()
      }
    } while (waiting.size > 0)
    this.#waiting.delete(projection.name)
  }
}

const tooMany = (waiters: number, projection: string): EventStoreError =>
  new EventStoreError(
    'overloaded',
    `${waiters} reads wait for their event, which is the bound (ANNALS_PROJECTOR_WAITERS_MAX): read ${projection} without \`after\`, or try again in a second`,
    { retryAfterSeconds: 1 },
  )

/** Also where there is no such generation: then there is nothing to wait for. */
function isApplied({ source, offset, generation }: Waiter, states: readonly GenerationState[]): boolean {
  const state = states.find(({ id, status }) =>
    generation === undefined ? status === 'serving' : id === generation,
  )
  return state === undefined || (state.checkpoints.get(source) ?? 0) > offset
}
