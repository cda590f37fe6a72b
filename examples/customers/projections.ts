import { defineProjection } from '#domain'

import type { CustomerLifetime } from '../../schemas/customer-lifetime/events.generated.ts'
import type { CustomerEvent } from '../../schemas/customer/events.generated.ts'
import type { MonthlyRevenue } from '../../schemas/monthly-revenue/events.generated.ts'
import { addMoney, addPurchase, noPurchases } from './totals.ts'

/** The total purchases of each customer, by customer id. */
export const customerLifetime = defineProjection<CustomerLifetime, CustomerEvent>({
  name: 'customer-lifetime',
  source: 'customer',
  keyedBy: 'stream',
  initialView: noPurchases,
  on: { PurchaseMade: addPurchase },
  indexes: { spend: (view) => Number(view.spend), purchases: (view) => view.purchases },
  schema: 'CustomerLifetime',
})

/** The sales of each month, by month: `YYYY-MM`. */
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
  schema: 'MonthlyRevenue',
})
