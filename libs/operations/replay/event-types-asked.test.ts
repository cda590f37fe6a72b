import { expect, test } from 'vitest'

import { eventTypesAsked } from './event-types-asked.ts'

const config = { domain: { modules: [], schemaFolders: ['schemas'] } }
const asked = (types: readonly string[], destination: Parameters<typeof eventTypesAsked>[1]['destination']) =>
  eventTypesAsked(config, { aggregateType: 'customer', filter: { types }, destination })

test('a mistyped event type is rejected with the nearest name; a copy of records only has a warning', () => {
  const stdout = { kind: 'stdout', format: 'ndjson' } as const
  const topic = { kind: 'topic', name: 'copy', create: false } as const
  expect(asked(['PurchaseMade'], stdout)).toEqual([])
  expect(() => asked(['PurchaseMade', 'PurchaseMad'], stdout)).toThrow(
    '--type: there is no event type of customer "PurchaseMad"; did you mean PurchaseMade?',
  )
  expect(asked(['PurchaseMad'], topic)).toEqual([expect.stringContaining('did you mean PurchaseMade?')])
  const elsewhere = { domain: { modules: [], schemaFolders: ['/nonexistent'] } }
  const request = { aggregateType: 'customer', filter: { types: ['X'] }, destination: topic }
  expect(eventTypesAsked(elsewhere, request)).toEqual([])
})
