import { defineDomain } from '#domain'

import { customer } from './customer.ts'
import { customerLifetime, monthlyRevenue } from './projections.ts'

export default defineDomain({ aggregates: [customer], projections: [customerLifetime, monthlyRevenue] })
