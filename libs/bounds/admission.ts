import { EventStoreError } from '#event-store'

export interface AdmissionOptions {
  /** What is bounded, in the plural, e.g. `reads of states`. It stands in the refusal. */
  readonly what: string
  /** Worked on at a time. */
  readonly atOnceMax: number
  /** More may wait for their turn; beyond that they are refused. */
  readonly waitingMax: number
  /** How long one waits; then it is refused. */
  readonly waitMsMax: number
  /** While those under way hold more bytes than that, no further one begins. Default: no bound. */
  readonly bytesMax?: number
}

/** Counts bytes for the work under way; they count until it has ended. */
export type HoldBytes = (bytes: number) => void

interface Waiter {
  readonly admit: () => void
  readonly timer: NodeJS.Timeout
}

/** Lets a bounded number of operations work at a time, a bounded number wait, and refuses the rest at once. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #waiting = new Set<Waiter>()
  #underWay = 0
  #bytes = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Those under way and those that wait. */
  get count(): number {
    return this.#underWay + this.#waiting.size
  }

  /** @throws EventStoreError `overloaded` when too many wait, or the wait took too long; and what `work` throws. */
  async run<Result>(work: (hold: HoldBytes) => Promise<Result>): Promise<Result> {
    await this.#enter()
    let held = 0
    try {
      return await work((bytes) => {
        held += bytes
        this.#bytes += bytes
      })
    } finally {
      this.#underWay--
      this.#bytes -= held
      this.#admitNext()
    }
  }

  async #enter(): Promise<void> {
    if (this.#waiting.size === 0 && this.#hasRoom()) {
      this.#underWay++
      return
    }
    const { what, waitingMax, waitMsMax } = this.#options
    if (this.#waiting.size >= waitingMax) throw overloaded(`${this.count} ${what} are under way or wait`)
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter)
        reject(overloaded(`too many ${what}: none ended within ${waitMsMax} ms`))
      }, waitMsMax)
      const waiter = { admit: resolve, timer }
      this.#waiting.add(waiter)
    })
  }

  #admitNext(): void {
    for (const waiter of this.#waiting) {
      if (!this.#hasRoom()) return
      this.#waiting.delete(waiter)
      clearTimeout(waiter.timer)
      this.#underWay++
      waiter.admit()
    }
  }

  /** One is always let in when none is under way, however large it turns out to be. */
  #hasRoom(): boolean {
    const { atOnceMax, bytesMax = Infinity } = this.#options
    return this.#underWay === 0 || (this.#underWay < atOnceMax && this.#bytes < bytesMax)
  }
}

const overloaded = (why: string): EventStoreError =>
  new EventStoreError('overloaded', `${why}: try again in a second`, { retryAfterSeconds: 1 })
