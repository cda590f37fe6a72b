import { expect, test } from 'vitest'

import { createUpcasterChain } from '#domain'
import { checkSchemas, formatProblem, SchemaFolder } from '#schemas'

import customers from '../../../examples/customers/domain.ts'
import orders from '../../../examples/orders/domain.ts'

const upcasters = createUpcasterChain([customers, orders].flatMap((domain) => domain.upcasters))

test('every released version has a sample that is read correctly; generated types are current', () => {
  const folder = new SchemaFolder('schemas')
  expect(Object.keys(folder.released())).not.toEqual([])
  expect(checkSchemas(folder, upcasters).map(formatProblem)).toEqual([])
})

test('every event, snapshot and view of the examples has a schema', () => {
  const { catalog } = new SchemaFolder('schemas')
  for (const aggregate of [customers, orders].flatMap((domain) => domain.aggregates)) {
    const { schema } = aggregate.snapshot
    const needed = [...aggregate.eventTypes, ...(schema === undefined ? [] : [schema])]
    expect(catalog.names(aggregate.type)).toEqual(needed.toSorted())
  }
  for (const { name, schema } of customers.projections) expect(catalog.names(name)).toEqual([schema])
})
