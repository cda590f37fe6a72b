import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'

import type { AccessDocument, LimitsOfRole } from '#access'
import { PrincipalLimits } from '#limits'

import { InMemoryWriter } from '../append/in-memory-writer.ts'
import { callerOf } from './http-call.ts'
import { type HttpWriterOptions, startHttpWriter } from './http-writer.ts'
import { KnownCallers } from './known-callers.ts'

const everything = [{ actions: ['append', 'read', 'subscribe'] as const, on: ['*.*'] }]
const rules = { ada: everything, bob: everything, guest: [], 'peer-writer': everything }

interface LimitedWriterOptions extends HttpWriterOptions {
  readonly defaults?: LimitsOfRole
  readonly roles?: AccessDocument['roles']
}

/** The header of a caller: ada and bob may do everything, guest nothing, and peer-writer forwards requests. */
export const as = (name: string) => ({ authorization: `Bearer ${name}` })

/** A writer over HTTP that limits its callers. Each caller has the role of its name. Closed after the test. */
export async function limitedWriter({ defaults = {}, roles = {}, ...options }: LimitedWriterOptions) {
  const metrics = new Registry()
  const limits = new PrincipalLimits({ defaults, metrics, roles: () => roles })
  const api = new InMemoryWriter()
  const { app, url } = await startHttpWriter(api, { guard: new KnownCallers(rules), limits, ...options })
  onTestFinished(() => app.close())
  const rejected = async (limit: string): Promise<number> => {
    const { values } = (await metrics.getSingleMetric('annals_limit_rejected_total')?.get()) ?? { values: [] }
    return values.find(({ labels }) => labels['limit'] === limit)?.value ?? 0
  }
  /** Uses more than the limit of a principal. */
  const exhaust = (name: string, limit: 'requests' | 'events', amount: number): void =>
    limits.of({ name, kind: 'key', roles: [name] })?.force(limit, amount)
  return { app, api, exhaust, url, limits, call: callerOf(url), rejected }
}

/** A body with so many events. */
export const eventsBody = (count: number) => ({
  events: Array.from({ length: count }, () => ({ type: 'OrderPlaced', data: { customer: 'c-1' } })),
})
