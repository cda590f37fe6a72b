import Big from 'big.js'

import type { CustomerState, PurchaseMade } from '../../schemas/customer/events.generated.ts'

/** Totals of purchases: the state of a customer, and its view. Amounts have two decimal places: `19.98`. */
export type Totals = CustomerState

export const noPurchases: Totals = { purchases: 0, cds: 0, spend: '0.00', first: null, last: null }

/** Adds amounts as decimals, so sums are exact. */
export const addMoney = (sum: string, amount: string): string => new Big(sum).plus(amount).toFixed(2)

/** Adds a purchase. Purchases may arrive in any order of their dates; ISO dates sort as text. */
export function addPurchase(totals: Totals, { data }: { readonly data: PurchaseMade }): Totals {
  const { first, last } = totals
  return {
    purchases: totals.purchases + 1,
    cds: totals.cds + data.cds,
    spend: addMoney(totals.spend, data.amount),
    first: first === null || data.date < first ? data.date : first,
    last: last === null || data.date > last ? data.date : last,
  }
}
