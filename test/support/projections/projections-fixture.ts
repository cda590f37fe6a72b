import { defineProjection, type Position } from '#domain'

import { customerLifetime } from '../../../examples/customers/projections.ts'
import { projectionRoutes } from '../../../services/projector/http/projection-routes.ts'
import { testHttp } from '../services/closing.ts'
import { type Call, callerOf } from '../http/http-call.ts'
import type { HttpWriterOptions } from '../http/http-writer.ts'
import { InMemoryProjections } from './in-memory-projections.ts'

export { customerLifetime }

interface Repairs {
  /** Whether the fault in the reducer is fixed. */
  mended: boolean
}

/** Adds up amounts by customer. Throws on negative amounts until it is fixed. */
const fragile = (name: string, onError: 'stop' | 'dead-letter', repairs: Repairs) =>
  defineProjection<{ readonly sum: number }, { type: 'PurchaseMade'; data: { readonly amount: string } }>({
    name,
    source: 'customer',
    keyedBy: 'stream',
    initialView: { sum: 0 },
    on: {
      PurchaseMade({ sum }, { data }) {
        const amount = Number(data.amount)
        if (amount < 0 && !repairs.mended) throw new Error(`amount ${data.amount} is below zero`)
        return { sum: sum + amount }
      },
    },
    onError,
  })

interface ServedProjections {
  /** Has `customer-lifetime`, `forgiving` (parks failing events) and `strict` (stops at them). */
  readonly api: InMemoryProjections
  readonly url: string
  readonly call: Call
  readonly repairs: Repairs
  readonly buy: (customerId: string, amount: string, at?: string) => Position
}

/** An in-memory projector behind a real server; both end with the test. */
export async function servedProjections(options?: HttpWriterOptions): Promise<ServedProjections> {
  const repairs = { mended: false }
  const others = [fragile('forgiving', 'dead-letter', repairs), fragile('strict', 'stop', repairs)]
  const api = new InMemoryProjections(customerLifetime, ...others)
  const { url } = await testHttp(projectionRoutes(api), options)
  const buy = (customerId: string, amount: string, at?: string) =>
    api.append(`customer.${customerId}`, 'PurchaseMade', { date: '1997-01-12', cds: 1, amount }, at)
  return { api, url, call: callerOf(url), repairs, buy }
}
