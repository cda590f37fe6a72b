import type { FastifyInstance, FastifyRequest } from 'fastify'

import { type Lane, requestTurns } from '#bounds'
import type { Problem } from '#event-store'

import { isChange } from './change.ts'

export interface HoldBounds {
  /** Rejections per second that are sent at once. */
  readonly promptMax: number
  /** How long a further rejection is held. */
  readonly heldMs: number
  /** Rejections that are held at a time. Further ones are sent at once. */
  readonly heldMax: number
}

/** A rejection must reach its client before the client stops waiting: the SDK waits 5 s by default. */
const defaultBounds: HoldBounds = { promptMax: 20, heldMs: 4_000, heldMax: 10_000 }
const windowMs = 1_000

/**
 * Delays rejections when there are many. Callers that retry as soon as they are rejected would cost a server more than
 * those it serves. A delayed rejection costs only a timer.
 */
export class HeldRefusals {
  readonly #bounds: HoldBounds
  readonly #turns: Pick<Lane, 'queue'>
  readonly #held = new Map<() => unknown, NodeJS.Timeout>()
  #isClosed = false
  #windowFromMs = -Infinity
  #sent = 0

  constructor(bounds: HoldBounds = defaultBounds, turns: Pick<Lane, 'queue'> = requestTurns) {
    this.#bounds = bounds
    this.#turns = turns
  }

  /** Sends a rejection, now or later. `refusal` must not throw. */
  send(refusal: () => unknown): void {
    if (this.#isClosed || this.#isPrompt() || this.#held.size >= this.#bounds.heldMax) {
      refusal()
      return
    }
    // Hundreds may be due together, so they are sent in turns.
    const timer = setTimeout(() => this.#turns.queue(() => this.#release(refusal)), this.#bounds.heldMs)
    this.#held.set(refusal, timer)
  }

  /** The server closes: held rejections are sent now. */
  close(): void {
    this.#isClosed = true
    for (const [refusal, timer] of this.#held) {
      clearTimeout(timer)
      refusal()
    }
    this.#held.clear()
  }

  #release(refusal: () => unknown): void {
    if (this.#held.delete(refusal)) refusal()
  }

  #isPrompt(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#windowFromMs >= windowMs) {
      this.#windowFromMs = nowMs
      this.#sent = 0
    }
    return ++this.#sent <= this.#bounds.promptMax
  }
}

/**
 * Rejections that may be delayed: of requests without a valid credential, which slows down guessing, of reads and subscriptions beyond a bound, and of bodies that are too large. Appends
 * beyond a bound are rejected at once, because they matter most.
 */
export const mayBeHeld = ({ method }: FastifyRequest, { code, status }: Problem): boolean =>
  status === 413 || status === 401 || (code === 'overloaded' && !isChange(method))

export function holdRefusals(app: FastifyInstance, bounds?: HoldBounds): void {
  const refusals = new HeldRefusals(bounds)
  app.decorate('refusals', refusals)
  app.addHook('preClose', (done) => {
    refusals.close()
    done()
  })
}
