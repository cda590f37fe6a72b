import { overloaded } from './overloaded.ts'

interface AdmissionOptions {
  /** What is bounded, in the plural, e.g. `reads of states`. It appears in the error message. */
  readonly what: string
  /** Operations that run at a time. */
  readonly atOnceMax: number
  /** Operations that wait for their turn. Beyond it, further ones are rejected. */
  readonly waitingMax: number
  /** How long an operation waits before it is rejected. */
  readonly waitMsMax: number
  /** No further operation starts while the running ones hold more bytes than this. Default: no bound. */
  readonly bytesMax?: number
}

/** Counts bytes for the running operation. They are released when it ends. */
export type HoldBytes = (bytes: number) => void

interface Waiter {
  readonly admit: () => void
  readonly timer: NodeJS.Timeout
}

/** Runs a bounded number of operations at a time, lets a bounded number wait, and rejects the rest at once. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #waiting = new Set<Waiter>()
  #running = 0
  #bytes = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Operations that run or wait. */
  get count(): number {
    return this.#running + this.#waiting.size
  }

  /**
   * @throws EventStoreError `overloaded` when too many wait or the wait took too long; otherwise what `work` throws.
   */
  async run<Result>(work: (hold: HoldBytes) => Promise<Result>): Promise<Result> {
    await this.#enter()
    let held = 0
    try {
      return await work((bytes) => {
        held += bytes
        this.#bytes += bytes
      })
    } finally {
      this.#running--
      this.#bytes -= held
      this.#admitNext()
    }
  }

  async #enter(): Promise<void> {
    if (this.#waiting.size === 0 && this.#hasRoom()) {
      this.#running++
      return
    }
    const { what, waitingMax, waitMsMax } = this.#options
    if (this.#waiting.size >= waitingMax) throw overloaded(`${this.count} ${what} are running or waiting`)
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
      this.#running++
      waiter.admit()
    }
  }

  /** With nothing running, one is always admitted, however large it turns out to be. */
  #hasRoom(): boolean {
    const { atOnceMax, bytesMax = Infinity } = this.#options
    return this.#running === 0 || (this.#running < atOnceMax && this.#bytes < bytesMax)
  }
}
