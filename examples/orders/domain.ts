import { defineDomain } from '#domain'

import { order } from './order.ts'
import { orderPlacedToV2 } from './upcasters.ts'

export default defineDomain({ aggregates: [order], upcasters: [orderPlacedToV2] })
