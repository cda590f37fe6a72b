import { TokenBucket } from 'limiter'

/**
 * A number of units a second that may pass, with bursts of one second. Between two points in time, at most a full
 * bucket plus the refill of that time pass.
 *
 * One amount larger than the bucket passes when the bucket is full, because it could never pass otherwise. It leaves a
 * debt, and nothing else passes until the refill has paid it: the average holds, and only the burst is larger.
 *
 * It has no timer. The bucket is filled by the monotonic clock when it is used.
 */
export class Rate {
  readonly #bucket: TokenBucket

  /** @throws RangeError unless at least 1 a second: the library would take 0 as no bound at all */
  constructor(perSecond: number) {
    checkPerSecond(perSecond)
    this.#bucket = new TokenBucket({
      bucketSize: perSecond,
      tokensPerInterval: perSecond,
      interval: 'second',
    })
    this.#bucket.content = perSecond
  }

  get perSecond(): number {
    return this.#bucket.bucketSize
  }

  /** Whole units that may pass now. */
  get available(): number {
    this.#bucket.drip()
    return Math.max(0, Math.floor(this.#bucket.content))
  }

  /** Whether the bucket is full, as a new one is. */
  get isFull(): boolean {
    this.#bucket.drip()
    return this.#bucket.content === this.#bucket.bucketSize
  }

  /** Takes the whole amount, or nothing. @returns whether it may pass */
  take(amount: number): boolean {
    if (amount <= 0) return true
    if (!this.#bucket.tryRemoveTokens(this.#needed(amount))) return false
    this.#bucket.content -= amount - this.#needed(amount)
    return true
  }

  /** Takes an amount that passes in any case, and may leave a debt. */
  force(amount: number): void {
    this.#bucket.drip()
    this.#bucket.content -= amount
  }

  /** Returns an amount that was taken and did not pass. */
  giveBack(amount: number): void {
    this.#bucket.drip()
    this.#bucket.content = Math.min(this.#bucket.bucketSize, this.#bucket.content + amount)
  }

  /** Milliseconds until the amount can be taken, if nothing else is taken before; 0: now. */
  waitMs(amount: number): number {
    return this.#bucket.getWaitTime(this.#needed(amount))
  }

  /** Changes the rate. The bucket stays as full as it is, in relation to its size. @throws RangeError as the constructor */
  change(perSecond: number): void {
    checkPerSecond(perSecond)
    this.#bucket.drip()
    this.#bucket.content = (this.#bucket.content / this.#bucket.bucketSize) * perSecond
    this.#bucket.bucketSize = perSecond
    this.#bucket.tokensPerInterval = perSecond
  }

  #needed(amount: number): number {
    return Math.min(amount, this.#bucket.bucketSize)
  }
}

function checkPerSecond(perSecond: number): void {
  if (!Number.isSafeInteger(perSecond) || perSecond < 1) {
    throw new RangeError(`a limit of ${perSecond} a second: expected a whole number from 1`)
  }
}
