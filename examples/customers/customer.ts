import { defineAggregate, type DomainCommand, type DomainEvent, refuse } from '#domain'

import { addPurchase, noPurchases, type Totals } from './totals.ts'

interface PurchaseData {
  /** Day of the purchase, `YYYY-MM-DD`. */
  readonly date: string
  readonly cds: number
  /** Dollars, a decimal with at most two places: `19.98`. */
  readonly amount: string
}

export type PurchaseMade = DomainEvent<'PurchaseMade', PurchaseData>
export type CustomerEvent = PurchaseMade

export type Purchase = DomainCommand<'Purchase', PurchaseData>
export type CustomerCommand = Purchase

export type CustomerState = Totals

/** One customer of the music shop. */
export const customer = defineAggregate<CustomerState, CustomerEvent, CustomerCommand>({
  type: 'customer',
  initialState: noPurchases,
  evolve: { PurchaseMade: addPurchase },
  decide: { Purchase: ({ data }) => purchase(data) },
  snapshot: { every: 10, stateVersion: 1, schema: 'CustomerState' },
})

function purchase(data: PurchaseData): PurchaseMade {
  if (!Number.isSafeInteger(data.cds) || data.cds < 1) {
    refuse('no-cds', `a purchase of ${data.cds} CDs is none: expected a whole number from 1`, {
      cds: data.cds,
    })
  }
  if (!/^\d+(\.\d{1,2})?$/.test(data.amount)) {
    refuse('invalid-amount', `${data.amount} is not an amount in dollars: expected e.g. 19.98`, {
      amount: data.amount,
    })
  }
  return { type: 'PurchaseMade', data }
}
