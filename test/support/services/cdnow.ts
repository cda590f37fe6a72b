import { readFileSync } from 'node:fs'

import { type DomainEvent, streamIdOf } from '#domain'
import { type BatchAppender, EventStoreError } from '#event-store'

import { type CdnowPurchase, readCdnow } from '../../../examples/customers/cdnow.ts'
import type { MonthlyRevenue } from '../../../schemas/monthly-revenue/events.generated.ts'
import { addMoney, addPurchase, noPurchases, type Totals } from '../../../examples/customers/totals.ts'

/** The real purchases of the customers example, in the order of the file. */
export const allPurchases = (): CdnowPurchase[] => [
  ...readCdnow(readFileSync('examples/customers/cdnow.txt', 'utf8')),
]

const eventOf = ({ date, cds, amount }: CdnowPurchase): DomainEvent => ({
  type: 'PurchaseMade',
  data: { date, cds, amount },
})

const appendsAtOnce = 500

/** Appends every purchase to the stream of its customer, in the order of the file. @throws EventStoreError when one is refused. */
export async function importPurchases(
  store: BatchAppender,
  type: string,
  purchases: readonly CdnowPurchase[],
  onProgress: (done: number) => Promise<void> | void = () => undefined,
): Promise<void> {
  for (let at = 0; at < purchases.length; at += appendsAtOnce) {
    const requests = [...byCustomer(purchases.slice(at, at + appendsAtOnce))].map(([customerId, own]) => ({
      streamId: streamIdOf(type, customerId),
      events: own.map(eventOf),
    }))
    const answers = await store.appendMany(requests)
    const refused = answers.find((answer) => answer instanceof EventStoreError)
    if (refused !== undefined) throw refused
    await onProgress(Math.min(purchases.length, at + appendsAtOnce))
  }
}

const byCustomer = (purchases: readonly CdnowPurchase[]): Map<string, CdnowPurchase[]> =>
  Map.groupBy(purchases, ({ customerId }) => customerId)

/** The expected view of each customer, folded from the purchases alone. */
export function expectedLifetimes(purchases: readonly CdnowPurchase[]): Map<string, Totals> {
  const totals = new Map<string, Totals>()
  for (const { customerId, ...data } of purchases) {
    totals.set(customerId, addPurchase(totals.get(customerId) ?? noPurchases, { data }))
  }
  return totals
}

/** The expected view of each month. */
export function expectedMonths(purchases: readonly CdnowPurchase[]): Map<string, MonthlyRevenue> {
  const months = new Map<string, MonthlyRevenue>()
  for (const { date, cds, amount } of purchases) {
    const before = months.get(date.slice(0, 7)) ?? { purchases: 0, cds: 0, revenue: '0.00' }
    months.set(date.slice(0, 7), {
      purchases: before.purchases + 1,
      cds: before.cds + cds,
      revenue: addMoney(before.revenue, amount),
    })
  }
  return months
}
