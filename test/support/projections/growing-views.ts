import { setTimeout as pause } from 'node:timers/promises'

import { onTestFinished } from 'vitest'

import type { AnnalsClient } from '#client'
import { EventStoreError } from '#event-store'

import type { Totals } from '../../../examples/customers/totals.ts'
import type { MonthlyRevenue } from '../../../schemas/monthly-revenue/events.generated.ts'
import type { Installation } from '../services/real-writer.ts'
import { waitFor } from '../stack/stack.ts'

/** The result of one read of the views. */
interface Look {
  /** Counted purchases, by view. */
  readonly counted: ReadonlyMap<string, number>
  /** Numbers of views by customer with and without the day of the first purchase. */
  readonly withFirst: number
  readonly withoutFirst: number
}

/**
 * A reader that reads views repeatedly while they only grow. The counts of each customer, of all customers and of each month must
 * never decrease. It retries while a projector is unavailable.
 */
export class GrowingViews {
  looks = 0
  readonly #client: AnnalsClient
  readonly #names: Installation['domain']['projections']
  readonly #faults: string[] = []
  readonly #reading: Promise<void>
  #isOver = false
  #before: Look = { counted: new Map(), withFirst: 0, withoutFirst: 0 }

  /** @param client of the projectors, which must have fewer than 1,000 views. */
  constructor(client: AnnalsClient, { domain }: Installation) {
    this.#client = client
    this.#names = domain.projections
    this.#reading = this.#read()
    onTestFinished(async () => {
      await this.stop()
    })
  }

  /** Waits for this many more reads. */
  async waitForMore(looks: number): Promise<void> {
    const goal = this.looks + looks
    await waitFor(`${looks} more reads`, () => Promise.resolve(this.looks >= goal), { timeoutMs: 30_000 })
  }

  /** @returns counts that decreased, and other observations that readers must never make. */
  async stop(): Promise<readonly string[]> {
    this.#isOver = true
    await this.#reading
    return this.#faults
  }

  async #read(): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#compare(await this.#look())
        this.looks++
      } catch (error) {
        if (!(error instanceof EventStoreError) || error.code !== 'unavailable') {
          this.#faults.push(String(error))
          return
        }
      }
      await pause(10)
    }
  }

  async #look(): Promise<Look> {
    const { lifetime, monthly } = this.#names
    const [lifetimes, months] = await Promise.all([
      this.#client.projection<Totals>(lifetime).list({ limit: 1_000 }),
      this.#client.projection<MonthlyRevenue>(monthly).list({ limit: 1_000 }),
    ])
    const withFirst = lifetimes.views.filter(({ view }) => view.first !== null).length
    const total = lifetimes.views.reduce((sum, { view }) => sum + view.purchases, 0)
    return {
      counted: new Map([
        ...lifetimes.views.map(({ key, view }) => [`customer ${key}`, view.purchases] as const),
        ...months.views.map(({ key, view }) => [`month ${key}`, view.purchases] as const),
        ['all customers', total],
      ]),
      withFirst,
      withoutFirst: lifetimes.views.length - withFirst,
    }
  }

  #compare(look: Look): void {
    for (const [what, before] of this.#before.counted) {
      const now = look.counted.get(what) ?? 0
      if (now < before) this.#faults.push(`${what}: ${now} purchases after ${before}`)
    }
    if (look.withFirst > 0 && look.withoutFirst > 0) this.#faults.push('views of two definitions in one page')
    if (look.withFirst > 0 && this.#before.withoutFirst > 0) this.#faults.push('back at the older definition')
    this.#before = look
  }
}
