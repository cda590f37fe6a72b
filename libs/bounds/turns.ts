/** Work goes on for so long, then the event loop is left to others for at least as long. */
const sliceMs = 4
/** A step of many small items. Reading the clock after each of them costs less than an item. */
const stepMs = 2
/** So few items are not worth a turn. */
const itemsAtOnceMax = 32

type Task = () => void

/**
 * Shares an event loop between long work (folding a long stream, sending events to hundreds of subscribers) and all the
 * rest. Long work comes in steps of a few milliseconds. Steps run one after the other in slices of 4 ms, so that it takes
 * half of the time at most, however much of it there is; appends, probes and timers come in between.
 */
export class Turns {
  readonly #lanes: Task[][] = []
  #nextLane = 0
  #isScheduled = false
  #restUntilMs = 0

  /** A queue of its own. Lanes with work alternate, so that many steps of one kind do not hold up another kind. */
  lane(): Lane {
    const queue: Task[] = []
    this.#lanes.push(queue)
    return new Lane((task) => {
      queue.push(task)
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    const restMs = this.#restUntilMs - performance.now()
    if (restMs > 0) setTimeout(this.#slice, Math.ceil(restMs))
    else setImmediate(this.#slice)
  }

  readonly #slice = (): void => {
    this.#isScheduled = false
    const startedMs = performance.now()
    let nowMs = startedMs
    while (nowMs - startedMs < sliceMs && this.#step()) nowMs = performance.now()
    if (nowMs - startedMs >= sliceMs) this.#restUntilMs = nowMs + (nowMs - startedMs)
    if (this.#lanes.some(({ length }) => length > 0)) this.#schedule()
  }

  /** One step of the next lane that has one. @returns whether there was one. */
  #step(): boolean {
    for (let tried = 0; tried < this.#lanes.length; tried++) {
      const task = this.#lanes[this.#nextLane]?.shift()
      this.#nextLane = (this.#nextLane + 1) % this.#lanes.length
      if (task === undefined) continue
      task()
      return true
    }
    return false
  }
}

/** One kind of long work. */
export class Lane {
  readonly #queue: (task: Task) => void

  /** @param queue takes a task that never throws. */
  constructor(queue: (task: Task) => void) {
    this.#queue = queue
  }

  /** Runs one step when its turn comes. @param step a few milliseconds of work. @throws what it throws. */
  run<Result>(step: () => Result): Promise<Result> {
    return new Promise((resolve) => {
      // What a promise's executor throws rejects it.
      this.#queue(() => resolve(new Promise((done) => done(step()))))
    })
  }

  /** What `work` makes of each item, in steps; a few items are done at once. @throws what it throws. */
  async map<Item, Result>(items: readonly Item[], work: (item: Item) => Result): Promise<Result[]> {
    if (items.length <= itemsAtOnceMax) return items.map(work)
    const results: Result[] = []
    const step = (): void => {
      const untilMs = performance.now() + stepMs
      for (const item of items.slice(results.length)) {
        results.push(work(item))
        if (performance.now() >= untilMs) return
      }
    }
    while (results.length < items.length) await this.run(step)
    return results
  }
}

/** The event loop is one for the whole process, so its turns are too. */
const turns = new Turns()

/** Long reads: histories, states, pages of categories. */
export const readTurns = turns.lane()
/** Decoding and sending for subscribers. */
export const subscriberTurns = turns.lane()
