import type { Generations, GenerationState, StoredProjection } from '#projections'

type States = readonly GenerationState[]

/** A reader of a projection's generations. Each request returns the result of the next read of the store. */
export class GenerationLooks {
  readonly projection: StoredProjection
  readonly #reschedule: () => void
  readonly #remove: (looks: GenerationLooks) => void
  #dueAtMs = Infinity
  #hurriedAtMs = Infinity
  #waiting: PromiseWithResolvers<States | undefined> | undefined
  #hasEnded = false

  constructor(
    projection: StoredProjection,
    reschedule: () => void,
    remove: (looks: GenerationLooks) => void,
  ) {
    this.projection = projection
    this.#reschedule = reschedule
    this.#remove = remove
  }

  /** The time at which the store is read for this reader; Infinity without a request. */
  get dueAtMs(): number {
    return this.#dueAtMs
  }

  /** The generations after `afterMs`, or earlier after {@link hurry}; undefined once it has ended. Rejects as the store does. */
  next(afterMs: number): Promise<States | undefined> {
    if (this.#hasEnded) return Promise.resolve(undefined)
    if (this.#waiting !== undefined) return this.#waiting.promise
    this.#waiting = Promise.withResolvers()
    this.#dueAtMs = Math.min(performance.now() + afterMs, this.#hurriedAtMs)
    this.#reschedule()
    return this.#waiting.promise
  }

  /** Reports a change: the store is read in `inMs`, unless a read is due earlier. */
  hurry(inMs: number): void {
    this.#hurriedAtMs = Math.min(this.#hurriedAtMs, performance.now() + inMs)
    if (this.#waiting === undefined || this.#dueAtMs <= this.#hurriedAtMs || this.#dueAtMs === Infinity)
      return
    this.#dueAtMs = this.#hurriedAtMs
    this.#reschedule()
  }

  end(): void {
    this.#hasEnded = true
    this.#dueAtMs = Infinity
    this.#remove(this)
    this.#settle()?.resolve(undefined)
  }

  /** Starts a read of the store. A later change needs another read. @returns the pending request. */
  taken(): { resolve: (states: States) => void; reject: (error: unknown) => void } {
    this.#dueAtMs = Infinity
    this.#hurriedAtMs = Infinity
    return {
      resolve: (states) => this.#settle()?.resolve(states),
      reject: (error) => this.#settle()?.reject(error),
    }
  }

  #settle(): PromiseWithResolvers<States | undefined> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}

/**
 * Reads the generations of projections for all readers with one timer: when the first reader is due, and once for all
 * that are due. Instances do not notify each other, so the store must be polled.
 */
export class GenerationWatch {
  readonly #generations: Pick<Generations, 'list'>
  readonly #readers = new Set<GenerationLooks>()
  #timer: NodeJS.Timeout | undefined

  constructor(generations: Pick<Generations, 'list'>) {
    this.#generations = generations
  }

  /** Opens a reader; its caller ends it. */
  looks(projection: StoredProjection): GenerationLooks {
    const looks = new GenerationLooks(
      projection,
      () => this.#reschedule(),
      (ended) => {
        this.#readers.delete(ended)
        this.#reschedule()
      },
    )
    this.#readers.add(looks)
    return looks
  }

  #reschedule(): void {
    clearTimeout(this.#timer)
    const dueAtMs = Math.min(...[...this.#readers].map((looks) => looks.dueAtMs))
    if (dueAtMs === Infinity) return
    this.#timer = setTimeout(() => this.#lookDue(), Math.ceil(Math.max(0, dueAtMs - performance.now())))
  }

  #lookDue(): void {
    const nowMs = performance.now()
    const due = [...this.#readers].filter(({ dueAtMs }) => dueAtMs <= nowMs)
    const byProjection = Map.groupBy(due, ({ projection }) => projection.name)
    for (const readers of byProjection.values()) void this.#look(readers)
    this.#reschedule()
  }

  async #look(readers: readonly GenerationLooks[]): Promise<void> {
    const [first] = readers
    if (first === undefined) return
    const answers = readers.map((looks) => looks.taken())
    try {
      const states = await this.#generations.list(first.projection)
      for (const { resolve } of answers) resolve(states)
    } catch (error) {
      for (const { reject } of answers) reject(error)
    }
  }
}
