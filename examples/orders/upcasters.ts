import { defineUpcaster } from '#domain'

import type { OrderPlaced, OrderPlacedV1 } from '../../schemas/order/events.generated.ts'

/** Version 1 had no currency: all orders were in euros. */
export const orderPlacedToV2 = defineUpcaster<OrderPlacedV1, OrderPlaced>({
  aggregateType: 'order',
  eventType: 'OrderPlaced',
  fromVersion: 1,
  upcast: ({ customer, placedAt }) => ({ customerId: customer, placedAt, currency: 'EUR' }),
})
