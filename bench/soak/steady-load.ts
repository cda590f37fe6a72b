import { AnnalsClient } from '#client'
import { streamIdOf } from '#domain'

/** A bounded number, so that whatever grows with the number of streams stays constant. */
const streams = 500
const tickMs = 10
/** Appends in flight, in seconds' worth of the load: a service that is slower than the load is not flooded by it. */
const inFlightSecondsMax = 2

export interface LoadCounts {
  readonly sent: number
  readonly acknowledged: number
  readonly failed: number
  /** Not sent, because too many were in flight. */
  readonly heldBack: number
}

interface SteadyLoadOptions {
  /** Aggregate type to append to; default customer. */
  readonly type?: string
  /** Called for each acknowledged append with its duration. */
  readonly onAnswer?: (tookMs: number) => void
}

/** Appends at a constant rate, however long responses take. */
export class SteadyLoad {
  readonly #client: AnnalsClient
  readonly #rate: number
  readonly #type: string
  readonly #onAnswer: (tookMs: number) => void
  readonly #inFlight = new Set<Promise<unknown>>()
  #timer: NodeJS.Timeout | undefined
  #startedMs = 0
  #due = 0
  #sent = 0
  #acknowledged = 0
  #failed = 0

  /** @param rate appends of one event per second */
  constructor(url: string, rate: number, { type = 'customer', onAnswer }: SteadyLoadOptions = {}) {
    this.#client = new AnnalsClient({ url })
    this.#rate = rate
    this.#type = type
    this.#onAnswer = onAnswer ?? (() => undefined)
  }

  get counts(): LoadCounts {
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      heldBack: this.#due - this.#sent,
    }
  }

  start(): void {
    this.#startedMs = performance.now()
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  /** Sends no more, and waits for appends in flight. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#inFlight)
    await this.#client.close()
  }

  #tick(): void {
    const dueNow = Math.floor(((performance.now() - this.#startedMs) / 1_000) * this.#rate)
    for (; this.#due < dueNow; this.#due++) {
      if (this.#inFlight.size < this.#rate * inFlightSecondsMax) this.#send(this.#sent++)
    }
  }

  #send(n: number): void {
    const sentMs = performance.now()
    const append = this.#client.append(streamIdOf(this.#type, `soak-${n % streams}`), [purchase]).then(
      () => {
        this.#acknowledged++
        this.#onAnswer(performance.now() - sentMs)
      },
      () => this.#failed++,
    )
    this.#inFlight.add(append)
    void append.finally(() => this.#inFlight.delete(append))
  }
}

export const purchase = { type: 'PurchaseMade', data: { date: '1997-01-12', cds: 1, amount: '12.50' } }
