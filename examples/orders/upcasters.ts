import { defineUpcaster } from '#domain'

import type { OrderPlaced } from './order.ts'

/** OrderPlaced as it was before orders could be in other currencies than the euro. */
export interface OrderPlacedV1 {
  readonly customer: string
  readonly placedAt: string
}

export const orderPlacedToV2 = defineUpcaster<OrderPlacedV1, OrderPlaced['data']>({
  aggregateType: 'order',
  eventType: 'OrderPlaced',
  fromVersion: 1,
  upcast: ({ customer, placedAt }) => ({ customerId: customer, placedAt, currency: 'EUR' }),
})
