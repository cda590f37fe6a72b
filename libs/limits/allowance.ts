import type { LimitsOfRole } from '#access'
import { EventStoreError } from '#event-store'

import {
  type CountName,
  isRate,
  limitKinds,
  type LimitName,
  limitNames,
  type RateName,
  rateNames,
} from './limit-names.ts'
import { Rate } from './rate.ts'
import { policyField, stateField } from './rate-limit-fields.ts'

/** How long a rejected subscriber should wait: subscriptions last. */
const subscriberRetrySeconds = 5

/** What is in progress for a principal. Changes are counted, but not limited: as long as one lasts, nothing is forgotten. */
export type InProgress = CountName | 'changes'

/** What one principal may still use in this process. */
export class Allowance {
  /** Name of the principal. */
  readonly name: string
  readonly #rates: { [Name in RateName]?: Rate | undefined } = {}
  readonly #inProgress: Record<InProgress, number> = { subscribers: 0, reads: 0, changes: 0 }
  #limits: LimitsOfRole
  #policy: string

  constructor(name: string, limits: LimitsOfRole) {
    this.name = name
    this.#limits = limits
    this.#policy = policyField(limits)
    this.#setRates()
  }

  /** The header `RateLimit-Policy`. */
  get policy(): string {
    return this.#policy
  }

  /** Whether nothing is in progress and all that was taken has been refilled: it cannot be told from a new one. */
  get isAsNew(): boolean {
    const { subscribers, reads, changes } = this.#inProgress
    return (
      subscribers + reads + changes === 0 && rateNames.every((name) => this.#rates[name]?.isFull !== false)
    )
  }

  /** The limits have changed with the roles of the principal. What is in progress goes on. */
  change(limits: LimitsOfRole): void {
    if (limits === this.#limits || areEqual(limits, this.#limits)) return
    this.#limits = limits
    this.#policy = policyField(limits)
    this.#setRates()
  }

  /** Whether a limit is set. */
  has(name: LimitName): boolean {
    return isRate(name) ? this.#rates[name] !== undefined : this.#bound(name) < Infinity
  }

  /** Takes all of an amount, or nothing. @returns the error `limit-exceeded` if the limit is reached */
  take(name: RateName, amount: number): EventStoreError | undefined {
    const rate = this.#rates[name]
    return rate === undefined || rate.take(amount) ? undefined : this.exceeded(name, amount)
  }

  /** Takes an amount that has passed already. The next ones wait until it is refilled. */
  force(name: RateName, amount: number): void {
    this.#rates[name]?.force(amount)
  }

  /** Returns what was taken for a request that is rejected after all. */
  giveBack(name: RateName, amount: number): void {
    this.#rates[name]?.giveBack(amount)
  }

  /** Whether nothing is missing from a rate, so that one amount of any size passes. */
  isFull(name: RateName): boolean {
    return this.#rates[name]?.isFull !== false
  }

  /** Counts something that begins; {@link end} must follow, unless the error `limit-exceeded` is returned. */
  begin(what: InProgress): EventStoreError | undefined {
    if (what !== 'changes' && this.#inProgress[what] >= this.#bound(what)) return this.#tooMany(what)
    this.#inProgress[what]++
    return undefined
  }

  end(what: InProgress): void {
    this.#inProgress[what]--
  }

  /**
   * The header `RateLimit`: what is left of these limits, as far as they are set; empty if none is.
   * @param windowSeconds for how long it holds
   */
  state(names: readonly LimitName[], windowSeconds: number): string {
    return stateField(
      names.filter((name) => this.has(name)),
      (name) => this.#available(name),
      windowSeconds,
    )
  }

  /** The error for an amount that does not pass. */
  exceeded(name: RateName, amount: number): EventStoreError {
    const { setting, field, what } = limitKinds[name]
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#rates[name]?.waitMs(amount) ?? 0) / 1_000))
    return limitExceeded(
      `${this.name} may use ${this.#limits[field] ?? 0} ${what} a second in this process: wait ${retryAfterSeconds} s; ${setting}, or ${field} of a role, sets the limit`,
      retryAfterSeconds,
    )
  }

  #tooMany(name: CountName): EventStoreError {
    const { setting, field, what } = limitKinds[name]
    return limitExceeded(
      `${this.name} has ${this.#inProgress[name]} of at most ${this.#bound(name)} ${what} in this process: end some, or wait; ${setting}, or ${field} of a role, sets the limit`,
      name === 'subscribers' ? subscriberRetrySeconds : 1,
    )
  }

  #available(name: LimitName): number {
    if (isRate(name)) return this.#rates[name]?.available ?? 0
    return Math.max(0, this.#bound(name) - this.#inProgress[name])
  }

  #bound(name: CountName): number {
    return this.#limits[limitKinds[name].field] ?? Infinity
  }

  #setRates(): void {
    for (const name of rateNames) {
      const perSecond = this.#limits[limitKinds[name].field]
      const rate = this.#rates[name]
      if (perSecond === undefined) this.#rates[name] = undefined
      else if (rate === undefined) this.#rates[name] = new Rate(perSecond)
      else if (rate.perSecond !== perSecond) rate.change(perSecond)
    }
  }
}

/** Without its stack, which nobody reads, and which would take longer than all else that the rejection does here. */
function limitExceeded(message: string, retryAfterSeconds: number): EventStoreError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new EventStoreError('limit-exceeded', message, { retryAfterSeconds })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const areEqual = (some: LimitsOfRole, others: LimitsOfRole): boolean =>
  limitNames.every((name) => fieldOf(name, some) === fieldOf(name, others))

const fieldOf = (name: LimitName, limits: LimitsOfRole) => limits[limitKinds[name].field]
