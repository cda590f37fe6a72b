/** Work runs for this long, then leaves the event loop to others for at least as long. */
const sliceMs = 4
/** A step of many small items. Reading the clock after each item costs less than the item. */
const stepMs = 2
/** Up to this many items run at once: a turn would cost more. */
const itemsAtOnceMax = 32

type Task = () => void

/** How long the load of the loop is measured before the share of long work changes. */
const watchMs = 100
/** From this utilization on, the loop is busy: everything that waits is delayed by other work. */
const busyUtilization = 0.9
/** On a busy loop, others get nine times as long as long work took. */
const longRestsMax = 9
/** Read requests are short and frequent. A longer wait would only let more of them queue up. */
const requestRestsMax = 2

/** @returns a function that reads the utilization of this thread's event loop since its previous call */
function utilizationMeter(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}

/**
 * How long work rests: as long as it took on a loop with time to spare, and up to `restsMax` times as long on a busy
 * one.
 */
export class Pace {
  readonly #restsMax: number
  readonly #utilization: () => number
  #sinceMs: number
  #rests = 1

  /** @param utilization of the loop since the previous call, 0 to 1 */
  constructor(restsMax: number, utilization: () => number = utilizationMeter(), nowMs = performance.now()) {
    this.#restsMax = restsMax
    this.#utilization = utilization
    this.#sinceMs = nowMs
  }

  /** @returns how long to rest after `workedMs` of work */
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
 * Shares the event loop between long work (folding a long stream, sending events to hundreds of subscribers) and
 * everything else. Long work is split into steps of a few milliseconds. Steps run immediately until they have used 4
 * ms of a turn of the event loop. Later steps wait in a queue and run in slices of 4 ms with a rest between them. Long
 * work thus takes at most half of the time, and a tenth on a busy loop; appends, probes and timers run in between.
 */
export class Turns {
  readonly #lanes: Task[][] = []
  #nextLane = 0
  #isScheduled = false
  #isResetting = false
  #spentMs = 0
  #restUntilMs = 0
  readonly #pace: Pace

  /** @param restsMax how many times as long others get on a busy loop */
  constructor(restsMax = longRestsMax) {
    this.#pace = new Pace(restsMax)
  }

  /** Creates a queue. Lanes with work alternate, so that many steps of one kind do not delay another kind. */
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

  /** A new turn of the event loop has started. */
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

  /** The next step, from the next lane that has one, while time is left in this slice. */
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

  /** @param queue accepts a task that never throws */
  constructor(queue: (task: Task) => void) {
    this.#queue = queue
  }

  /** Runs a task when its turn comes, which may be at once. It must not throw. */
  queue(task: Task): void {
    this.#queue(task)
  }

  /** Runs one step when its turn comes. @param step a few milliseconds of work. @throws what the step throws. */
  run<Result>(step: () => Result): Promise<Result> {
    return new Promise((resolve) => {
      // A promise rejects with what its executor throws.
      this.#queue(() => resolve(new Promise((done) => done(step()))))
    })
  }

  /** Maps items in steps; a few items are processed immediately. @throws what `work` throws. */
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

/** A process has one event loop, so it has one set of turns. */
const turns = new Turns()

/** Long reads: histories, states, pages of categories. */
export const readTurns = turns.lane()
/** Decoding and sending for subscribers. */
export const subscriberTurns = turns.lane()
/**
 * The start of requests that change nothing. Hundreds may arrive in one turn of the event loop, with appends among
 * them.
 */
export const requestTurns = new Turns(requestRestsMax).lane()
