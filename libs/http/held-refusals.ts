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
/**
 * A principal at its limit may go on within a second, so its rejections wait for less time. Each occupies a connection
 * that is bounded elsewhere.
 */
const defaultLimitBounds: HoldBounds = { promptMax: 20, heldMs: 2_000, heldMax: 10_000 }
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

/** The held rejections of a server. Those of principals at their limits are apart, so that they use up no bound of others. */
export interface Refusals {
  readonly overload: HeldRefusals
  readonly limits: HeldRefusals
}

/**
 * Where a rejection may be delayed; undefined if it is sent at once. Delayed are rejections of principals at their
 * limits, of requests without a valid credential, which slows down guessing, of reads and subscriptions beyond a bound,
 * and of bodies that are too large. Appends beyond a bound of the whole process are rejected at once, because they
 * matter most.
 */
export function heldWith(
  { method, server }: FastifyRequest,
  { code, status }: Problem,
): HeldRefusals | undefined {
  if (code === 'limit-exceeded') return server.refusals.limits
  const isHeld = status === 413 || status === 401 || (code === 'overloaded' && !isChange(method))
  return isHeld ? server.refusals.overload : undefined
}

export function holdRefusals(
  app: FastifyInstance,
  bounds?: HoldBounds,
  limitBounds = defaultLimitBounds,
): void {
  const refusals: Refusals = { overload: new HeldRefusals(bounds), limits: new HeldRefusals(limitBounds) }
  app.decorate('refusals', refusals)
  app.addHook('preClose', (done) => {
    refusals.overload.close()
    refusals.limits.close()
    done()
  })
}
