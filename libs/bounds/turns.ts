/** Work goes on for so long, then the event loop is left to others for at least as long. */
const sliceMs = 4
/** A step of many small items. Reading the clock after each of them costs less than an item. */
const stepMs = 2
/** So few items are not worth a turn. */
const itemsAtOnceMax = 32

type Task = () => void

/** How long the loop's load is watched before the share of long work changes. */
const watchMs = 100
/** The loop has no time left: whatever waits, waits for others. */
const busyUtilization = 0.9
/** For each time that long work takes of a loop without time left, others get nine. */
const longRestsMax = 9
/** Requests to read are many and short; kept waiting for longer, they would only become more. */
const requestRestsMax = 2

/** @returns reads the share of the time that this thread's event loop was busy since it was last asked. */
function utilizationMeter(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}

/** How long work rests: as long as it took where the loop has time to spare, and up to so many times as long where it has none. */
export class Pace {
  readonly #restsMax: number
  readonly #utilization: () => number
  #sinceMs: number
  #rests = 1

  /** @param utilization of the loop since it was last asked, 0 to 1 */
  constructor(restsMax: number, utilization: () => number = utilizationMeter(), nowMs = performance.now()) {
    this.#restsMax = restsMax
    this.#utilization = utilization
    this.#sinceMs = nowMs
  }

  /** @returns for how long to rest after so much work. */
  restMs(workedMs: number, nowMs: number): number {
    if (nowMs - this.#sinceMs >= watchMs) {
      this.#sinceMs = nowMs
      this.#adapt(this.#utilization() > busyUtilization)
    }
    return workedMs * this.#rests
  }

  #adapt(isBusy: boolean): void {
    this.#rests = isBusy ? Math.min(this.#restsMax, this.#rests * 2) : Math.max(1, this.#rests / 2)
  }
}

/**
 * Shares an event loop between long work (folding a long stream, sending events to hundreds of subscribers) and all the
 * rest. Long work comes in steps of a few milliseconds. Steps run at once until they have taken 4 ms of a turn of the event
 * loop; those that come later wait in a queue, and run in slices of 4 ms with a rest between them. So long work takes half of the
 * time at most, however much of it there is, and a tenth where nothing is left; appends, probes and timers come in between.
 */
export class Turns {
  readonly #lanes: Task[][] = []
  #nextLane = 0
  #isScheduled = false
  #isResetting = false
  #spentMs = 0
  #restUntilMs = 0
  readonly #pace: Pace

  /** @param restsMax how many times as long others get where the loop has no time to spare */
  constructor(restsMax = longRestsMax) {
    this.#pace = new Pace(restsMax)
  }

  /** A queue of its own. Lanes with work alternate, so that many steps of one kind do not hold up another kind. */
  lane(): Lane {
    const queue: Task[] = []
    this.#lanes.push(queue)
    return new Lane((task) => {
      if (this.#isFree()) {
        this.#spend(task)
        return
      }
      queue.push(task)
      this.#schedule()
    })
  }

  #isFree(): boolean {
    return !this.#isScheduled && this.#spentMs < sliceMs && performance.now() >= this.#restUntilMs
  }

  #spend(task: Task): void {
    const startedMs = performance.now()
    task()
    const endedMs = performance.now()
    this.#spentMs += endedMs - startedMs
    if (this.#spentMs >= sliceMs) this.#restUntilMs = endedMs + this.#pace.restMs(this.#spentMs, endedMs)
    if (this.#isResetting) return
    this.#isResetting = true
    setImmediate(this.#reset)
  }

  /** Another turn of the event loop has begun. */
  readonly #reset = (): void => {
    this.#isResetting = false
    this.#spentMs = 0
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
    this.#spentMs = 0
    for (let task = this.#take(); task !== undefined; task = this.#take()) this.#spend(task)
    if (this.#lanes.some(({ length }) => length > 0)) this.#schedule()
  }

  /** The step of the next lane that has one, while there is time left. */
  #take(): Task | undefined {
    if (this.#spentMs >= sliceMs) return undefined
    for (let tried = 0; tried < this.#lanes.length; tried++) {
      const task = this.#lanes[this.#nextLane]?.shift()
      this.#nextLane = (this.#nextLane + 1) % this.#lanes.length
      if (task !== undefined) return task
    }
    return undefined
  }
}

/** One kind of long work. */
export class Lane {
  readonly #queue: (task: Task) => void

  /** @param queue takes a task that never throws. */
  constructor(queue: (task: Task) => void) {
    this.#queue = queue
  }

  /** Runs a task when its turn comes, which may be at once. It must not throw. */
  queue(task: Task): void {
    this.#queue(task)
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
/** The beginning of requests that change nothing: hundreds may come in one turn of the event loop, and appends between them. */
export const requestTurns = new Turns(requestRestsMax).lane()
