import type { AppendResult } from '#domain'
import { EventStoreError } from '#event-store'

/** Limits for sending concurrent appends to one writer in shared requests. */
export interface CoalesceLimits {
  /** Maximum number of appends in one request. Default 512. */
  readonly appendsMax: number
  /** Maximum size of one request in bytes. A larger append is sent alone. Default 512 KiB. */
  readonly bytesMax: number
  /** Maximum number of requests in flight. Default 4. */
  readonly inFlightMax: number
  /** Maximum size of queued appends in bytes. Further appends are rejected as `overloaded`. Default 64 MiB. */
  readonly waitingBytesMax: number
  /** Maximum time in the queue. An append that waits longer is not sent and fails with `unavailable`. Default 5,000. */
  readonly waitingMsMax: number
}

export const defaultCoalesceLimits: CoalesceLimits = {
  appendsMax: 512,
  bytesMax: 512 * 1024,
  inFlightMax: 4,
  waitingBytesMax: 64 * 1024 * 1024,
  waitingMsMax: 5_000,
}

type Answer = AppendResult | EventStoreError

interface Waiting {
  readonly json: string
  readonly bytes: number
  readonly sinceMs: number
  readonly resolve: (answer: AppendResult) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends appends to one writer in shared requests. An append is sent at once, together with those of the same tick. While
 * `inFlightMax` requests are in flight, appends are queued, and the next request takes as many as fit.
 */
export class AppendLane {
  readonly #request: (appends: readonly string[]) => Promise<readonly Answer[]>
  readonly #limits: CoalesceLimits
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #inFlight = 0
  #scheduled = false

  /** @param request sends one request; rejects when the request as a whole failed */
  constructor(request: (appends: readonly string[]) => Promise<readonly Answer[]>, limits: CoalesceLimits) {
    this.#request = request
    this.#limits = limits
  }

  /** Queues an encoded append and returns its result. @throws EventStoreError `overloaded`, `unavailable` when it was not sent */
  append(json: string): Promise<AppendResult> {
    const bytes = Buffer.byteLength(json)
    if (this.#waitingBytes + bytes > this.#limits.waitingBytesMax) return Promise.reject(this.#full())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ json, bytes, sinceMs: performance.now(), resolve, reject })
      this.#waitingBytes += bytes
      this.#schedule()
    })
  }

  #full(): EventStoreError {
    const { waitingBytesMax } = this.#limits
    return new EventStoreError(
      'overloaded',
      `more than ${waitingBytesMax} bytes of appends are queued in this client`,
    )
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#dropLate()
      while (this.#waiting.length > 0 && this.#inFlight < this.#limits.inFlightMax) {
        void this.#send(this.#take())
      }
    })
  }

  /** The queue is ordered by time, oldest first. */
  #dropLate(): void {
    const { waitingMsMax } = this.#limits
    const onTimeFromMs = performance.now() - waitingMsMax
    for (let first = this.#waiting[0]; first && first.sinceMs < onTimeFromMs; first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#waitingBytes -= first.bytes
      first.reject(
        new EventStoreError('unavailable', `the append waited ${waitingMsMax} ms and was not sent`),
      )
    }
  }

  /** As many appends as fit into one request, at least one. */
  #take(): readonly Waiting[] {
    const { appendsMax, bytesMax } = this.#limits
    let bytes = 0
    let count = 0
    for (const append of this.#waiting) {
      if (count === appendsMax || (count > 0 && bytes + append.bytes > bytesMax)) break
      bytes += append.bytes
      count += 1
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#inFlight += 1
    await this.#deliver(batch)
    this.#inFlight -= 1
    this.#schedule()
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#request(batch.map(({ json }) => json))
      batch.forEach((append, index) => settle(append, answers[index]))
    } catch (error) {
      if (batch.length > 1 && isRejectedAsAWhole(error)) await this.#deliverInHalves(batch)
      else for (const { reject } of batch) reject(error)
    }
  }

  /** The server accepts smaller requests only. One append must not make the others of its request fail. */
  async #deliverInHalves(batch: readonly Waiting[]): Promise<void> {
    const middle = batch.length >> 1
    await Promise.all([this.#deliver(batch.slice(0, middle)), this.#deliver(batch.slice(middle))])
  }
}

/** The server rejected the request as a whole, because of its size or shape. */
const isRejectedAsAWhole = (error: unknown): boolean =>
  error instanceof EventStoreError && ['append-too-large', 'invalid-request'].includes(error.code)

function settle({ resolve, reject }: Waiting, answer: Answer | undefined): void {
  if (answer === undefined)
    reject(new EventStoreError('outcome-unknown', 'the writer returned no result for the append'))
  else if (answer instanceof EventStoreError) reject(answer)
  else resolve(answer)
}
