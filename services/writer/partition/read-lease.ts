/**
 * How long an owner may answer from its memory after it has confirmed its ownership. The next owner waits longer than that
 * before it serves, so that no answer misses an event that was acknowledged elsewhere.
 */
const leaseMs = 20
/** The time that a new owner waits: clocks may differ in speed, and this covers 25 %. */
export const leaseWaitMs = 1.25 * leaseMs

/** A point in time by both clocks. The monotonic clock stops while a machine is suspended, the wall clock does not. */
interface Moment {
  readonly ms: number
  readonly wallMs: number
}

const now = (): Moment => ({ ms: performance.now(), wallMs: Date.now() })

/**
 * Confirms for a short time that this process owns its partition. It is extended by whatever only the owner can do: a batch that the
 * log accepts, an answer of the index under the owner's guard.
 */
export class ReadLease {
  #from: Moment = { ms: -Infinity, wallMs: -Infinity }

  /** Runs a request that only the owner can make, and extends the lease from the moment before it. @param isConfirmed judges the answer */
  async confirm<T>(request: () => Promise<T>, isConfirmed: (answer: T) => boolean): Promise<T> {
    const from = now()
    const answer = await request()
    if (isConfirmed(answer) && from.ms > this.#from.ms) this.#from = from
    return answer
  }

  get isHeld(): boolean {
    const { ms, wallMs } = now()
    const elapsedMs = wallMs - this.#from.wallMs
    return ms - this.#from.ms < leaseMs && elapsedMs >= 0 && elapsedMs < leaseMs
  }
}
