import { Counter, Gauge, type Registry } from 'prom-client'

import type { AccessDocument, LimitsOfRole, Principal } from '#access'
import { EventStoreError } from '#event-store'

import { Allowance } from './allowance.ts'
import { type LimitName, limitNames } from './limit-names.ts'
import { LimitsByRoles } from './limits-by-roles.ts'
import { Notices } from './notices.ts'

export interface PrincipalLimitsOptions {
  /** Limits of the principals whose roles set none. A limit that is absent is not set. */
  readonly defaults: LimitsOfRole
  readonly metrics: Registry
  /** The roles as they are now. A role may set limits; the largest of a principal's roles holds. Default: no roles. */
  readonly roles?: () => AccessDocument['roles'] | undefined
  /** Principals with limits that are tracked at a time; default 20,000, twice the default number of connections. */
  readonly principalsMax?: number
}

/** Known principals that a new one looks at, to forget those that need no memory. Two for one keeps the table small. */
const examinedPerNew = 2
const examinedWhenFull = 32

/**
 * Bounds on what each principal uses of this process, by its name. Principals without limits cost nothing.
 *
 * The number of tracked principals is bounded. Only those are forgotten that cannot be told from new ones: nothing is
 * in progress for them, and their buckets are full. So forgetting changes no decision. When all are in use, requests of
 * further principals are rejected as `overloaded`.
 */
export class PrincipalLimits {
  readonly #limits: LimitsByRoles
  readonly #principalsMax: number
  readonly #allowances = new Map<string, Allowance>()
  readonly #rejected: Counter<'limit'>
  readonly #notices = new Notices()

  constructor({
    defaults,
    metrics,
    roles = () => undefined,
    principalsMax = 20_000,
  }: PrincipalLimitsOptions) {
    this.#limits = new LimitsByRoles(defaults, roles)
    this.#principalsMax = principalsMax
    const registers = [metrics]
    const countNow = (): number => this.#allowances.size
    new Gauge({
      name: 'annals_limit_principals',
      help: 'Principals with limits that are tracked now',
      registers,
      collect() {
        this.set(countNow())
      },
    })
    this.#rejected = new Counter({
      name: 'annals_limit_rejected_total',
      help: 'Requests rejected because their principal has reached a limit',
      labelNames: ['limit'],
      registers,
    })
    for (const limit of limitNames) this.#rejected.inc({ limit }, 0)
  }

  /**
   * What a principal may still use; undefined if it has no limits. Begin something with the allowance in the same turn of
   * the event loop, so that it is not forgotten in between.
   * @throws EventStoreError `overloaded` if too many other principals are in use
   */
  of({ name, roles }: Principal): Allowance | undefined {
    const limits = this.#limits.of(roles)
    if (limits === undefined) return undefined
    const known = this.#allowances.get(name)
    if (known !== undefined) {
      known.change(limits)
      return known
    }
    this.#makeRoom()
    const allowance = new Allowance(name, limits)
    this.#allowances.set(name, allowance)
    return allowance
  }

  /** Counts a rejection. @returns whether to log it: once a minute for each principal, and a bounded number in total */
  rejected({ name }: Allowance, limit: LimitName): boolean {
    this.#rejected.inc({ limit })
    return this.#notices.isDue(name)
  }

  #makeRoom(): void {
    this.#forget(examinedPerNew)
    if (this.#allowances.size < this.#principalsMax) return
    this.#forget(examinedWhenFull)
    if (this.#allowances.size < this.#principalsMax) return
    throw new EventStoreError(
      'overloaded',
      `${this.#allowances.size} other principals are using this process: try again in a second, or at another instance`,
      { retryAfterSeconds: 1 },
    )
  }

  /** Examines the first ones, and moves those that stay to the end: the next call examines others. */
  #forget(count: number): void {
    let left = Math.min(count, this.#allowances.size)
    for (const [name, allowance] of this.#allowances) {
      if (left-- <= 0) return
      this.#allowances.delete(name)
      if (!allowance.isAsNew) this.#allowances.set(name, allowance)
    }
  }
}
