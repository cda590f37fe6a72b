import { defineAggregate, type DomainCommand, refuse } from '#domain'

import type { CustomerEvent, CustomerState, PurchaseMade } from '../../schemas/customer/events.generated.ts'
import { addPurchase, noPurchases } from './totals.ts'

type Purchase = DomainCommand<'Purchase', PurchaseMade>
export type CustomerCommand = Purchase

/** One customer of the music shop. */
export const customer = defineAggregate<CustomerState, CustomerEvent, CustomerCommand>({
  type: 'customer',
  initialState: noPurchases,
  evolve: { PurchaseMade: addPurchase },
  decide: { Purchase: ({ data }) => purchase(data) },
  snapshot: { every: 10, stateVersion: 1, schema: 'CustomerState' },
})

function purchase(data: PurchaseMade): CustomerEvent {
  if (!Number.isSafeInteger(data.cds) || data.cds < 1) {
    refuse('no-cds', `${data.cds} CDs cannot be purchased: expected a whole number from 1`, {
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
