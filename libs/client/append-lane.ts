import type { AppendResult } from '#domain'
import { EventStoreError } from '#event-store'

/** How concurrent appends to one writer travel together. */
export interface CoalesceLimits {
  /** Appends in one request. Default 512. */
  readonly appendsMax: number
  /** Bytes in one request; an append that is larger travels alone. Default 512 KiB. */
  readonly bytesMax: number
  /** Requests under way at one time. Default 4. */
  readonly inFlightMax: number
  /** Bytes of appends that wait for their turn; more are refused as `overloaded`. Default 64 MiB. */
  readonly waitingBytesMax: number
  /** How long an append may wait for its turn; then it counts as not sent (`unavailable`). Default 5,000. */
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
 * The way of appends to one writer. The first goes at once, together with those of the same tick; what comes while enough
 * requests are under way waits for the next to return, and then travels together.
 */
export class AppendLane {
  readonly #send: (appends: readonly string[]) => Promise<readonly Answer[]>
  readonly #limits: CoalesceLimits
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #inFlight = 0
  #scheduled = false

  /** @param send one request; rejects where it failed as a whole. */
  constructor(send: (appends: readonly string[]) => Promise<readonly Answer[]>, limits: CoalesceLimits) {
    this.#send = send
    this.#limits = limits
  }

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
      `more than ${waitingBytesMax} bytes of appends wait in this client`,
    )
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#dropLate()
      while (this.#waiting.length > 0 && this.#inFlight < this.#limits.inFlightMax) {
        void this.#depart(this.#take())
      }
    })
  }

  /** Whoever waits longest stands first. */
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

  /** As many as fit one request, and at least one. */
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

  async #depart(batch: readonly Waiting[]): Promise<void> {
    this.#inFlight += 1
    await this.#deliver(batch)
    this.#inFlight -= 1
    this.#schedule()
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#send(batch.map(({ json }) => json))
      batch.forEach((append, index) => settle(append, answers[index]))
    } catch (error) {
      if (batch.length > 1 && isRefusal(error)) await this.#deliverInHalves(batch)
      else for (const { reject } of batch) reject(error)
    }
  }

  /** The server takes less in one request than this client thought. One append must not cost another its answer. */
  async #deliverInHalves(batch: readonly Waiting[]): Promise<void> {
    const middle = batch.length >> 1
    await Promise.all([this.#deliver(batch.slice(0, middle)), this.#deliver(batch.slice(middle))])
  }
}

/** Nothing of the request was looked at, for its size or shape. */
const isRefusal = (error: unknown): boolean =>
  error instanceof EventStoreError && ['append-too-large', 'invalid-request'].includes(error.code)

function settle({ resolve, reject }: Waiting, answer: Answer | undefined): void {
  if (answer === undefined) reject(new EventStoreError('outcome-unknown', 'the writer left out an answer'))
  else if (answer instanceof EventStoreError) reject(answer)
  else resolve(answer)
}
