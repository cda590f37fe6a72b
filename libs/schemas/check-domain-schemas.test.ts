import { expect, test } from 'vitest'

import { defineAggregate, defineProjection } from '#domain'

import { checkDomainSchemas } from './check-domain-schemas.ts'
import { loadCatalog } from './schema-catalog.ts'

const catalog = loadCatalog(['schemas'])
const customer = (eventTypes: readonly string[], snapshotSchema?: string) =>
  defineAggregate<number, { type: string; data: unknown }>({
    type: 'customer',
    initialState: 0,
    evolve: Object.fromEntries(eventTypes.map((type) => [type, () => 0])),
    ...(snapshotSchema !== undefined && { snapshot: { schema: snapshotSchema } }),
  })
const views = (schema: string) =>
  defineProjection<number, { type: 'PurchaseMade'; data: unknown }>({
    ...{ name: 'customer-lifetime', source: 'customer', keyedBy: 'stream', initialView: 0, on: {}, schema },
  })

test('a domain with all of its schemas has no problem', () => {
  const domain = {
    aggregates: [customer(['PurchaseMade'], 'CustomerState')],
    projections: [views('CustomerLifetime')],
  }
  expect(checkDomainSchemas(domain as never, catalog)).toEqual({ problems: [], warnings: [] })
})

test('an event without a schema is a warning, an aggregate without any schema a problem', () => {
  const some = { aggregates: [customer(['PurchaseMade', 'PurchaseMad'])], projections: [] }
  const { problems, warnings } = checkDomainSchemas(some, catalog)
  expect(problems).toEqual([])
  expect(warnings).toEqual([
    expect.stringMatching(
      /^aggregate customer evolves PurchaseMad without an event schema.*customer\/PurchaseMad\.v1\.avsc\. Did you mean PurchaseMade\?$/,
    ),
  ])
  const none = { aggregates: [{ ...customer(['Driven']), type: 'race' }], projections: [] }
  expect(checkDomainSchemas(none, catalog).problems).toEqual([
    expect.stringMatching(/^aggregate race has no event schemas: .*race\/Driven\.v1\.avsc.*ANNALS_SCHEMAS/),
  ])
})

test('schemas of states and views are named by their roles', () => {
  const domain = {
    aggregates: [customer(['PurchaseMade'], 'CustomerStat')],
    projections: [views('Lifetime')],
  }
  expect(checkDomainSchemas(domain as never, catalog).problems).toEqual([
    'aggregate customer: there is no snapshot schema CustomerStat: expected customer/CustomerStat.v1.avsc with "role": "snapshot". Did you mean CustomerState?',
    'projection customer-lifetime: there is no view schema Lifetime: expected customer-lifetime/Lifetime.v1.avsc with "role": "view".',
  ])
  const event = { aggregates: [customer(['PurchaseMade'], 'PurchaseMade')], projections: [] }
  expect(checkDomainSchemas(event as never, catalog).problems).toEqual([
    expect.stringMatching(
      /snapshot schema PurchaseMade \(.*PurchaseMade\.v1\.avsc\) has the role "event": expected "snapshot"/,
    ),
  ])
})
