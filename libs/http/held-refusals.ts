import type { FastifyInstance, FastifyRequest } from 'fastify'

import { type Lane, requestTurns } from '#bounds'
import type { Problem } from '#event-store'

import { isChange } from './change.ts'

export interface HoldBounds {
  /** So many refusals of a second are sent at once. */
  readonly promptMax: number
  /** How long a further one waits. */
  readonly heldMs: number
  /** So many wait at a time; beyond them a refusal is sent at once. */
  readonly heldMax: number
}

/** A client waits longer than that for an answer; the SDK for five seconds. */
const defaultBounds: HoldBounds = { promptMax: 20, heldMs: 4_000, heldMax: 10_000 }
const windowMs = 1_000

/**
 * Holds back refusals where there are many of them. Callers who come again as soon as they are refused would cost a server more than
 * those it serves; so they wait here, where each costs a timer.
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

  /** Sends a refusal, now or later. It must not throw. */
  send(refusal: () => unknown): void {
    if (this.#isClosed || this.#isPrompt() || this.#held.size >= this.#bounds.heldMax) {
      refusal()
      return
    }
    // Hundreds may have come together, and go in turns.
    const timer = setTimeout(() => this.#turns.queue(() => this.#release(refusal)), this.#bounds.heldMs)
    this.#held.set(refusal, timer)
  }

  /** The server closes: nobody is kept waiting for a refusal. */
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

/** Reads and subscriptions beyond a bound, and bodies that are too large. Appends beyond a bound are told at once: they count most. */
export const mayBeHeld = ({ method }: FastifyRequest, { code, status }: Problem): boolean =>
  status === 413 || (code === 'overloaded' && !isChange(method))

export function holdRefusals(app: FastifyInstance, bounds?: HoldBounds): void {
  const refusals = new HeldRefusals(bounds)
  app.decorate('refusals', refusals)
  app.addHook('preClose', (done) => {
    refusals.close()
    done()
  })
}
