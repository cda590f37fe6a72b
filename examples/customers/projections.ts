import { defineProjection } from '#domain'

import type { CustomerEvent } from '../../schemas/customer/events.generated.ts'
import { addMoney, addPurchase, noPurchases, type Totals } from './totals.ts'

/** What each customer bought over the whole time; by customer id. */
export const customerLifetime = defineProjection<Totals, CustomerEvent>({
  name: 'customer-lifetime',
  source: 'customer',
  keyedBy: 'stream',
  initialView: noPurchases,
  on: { PurchaseMade: addPurchase },
  indexes: { spend: (view) => Number(view.spend), purchases: (view) => view.purchases },
})

export interface MonthlyRevenue {
  readonly purchases: number
  readonly cds: number
  /** Dollars, a decimal with two places. */
  readonly revenue: string
}

/** What the shop sold in each month; by month, `YYYY-MM`. */
export const monthlyRevenue = defineProjection<MonthlyRevenue, CustomerEvent>({
  name: 'monthly-revenue',
  source: 'customer',
  keyedBy: 'across',
  key: (event) => event.data.date.slice(0, 'YYYY-MM'.length),
  initialView: { purchases: 0, cds: 0, revenue: '0.00' },
  on: {
    PurchaseMade: (view, { data }) => ({
      purchases: view.purchases + 1,
      cds: view.cds + data.cds,
      revenue: addMoney(view.revenue, data.amount),
    }),
  },
  indexes: { revenue: (view) => Number(view.revenue) },
})
