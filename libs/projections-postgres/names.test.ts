import { expect, test } from 'vitest'

import { figureColumns, SqlNames, readableName } from './names.ts'

test.each([
  ['customer-lifetime', 'customer_lifetime'],
  ['a--b', 'a__b'],
  ['p'.repeat(63), 'p'.repeat(63)],
])('the projection %s is shown as %s', (projection, name) => {
  expect(readableName(projection)).toBe(name)
})

test('projections with long names are shown under distinct names that PostgreSQL does not cut', () => {
  const names = ['a', 'b'].map((end) => readableName('long-'.repeat(19) + end))
  expect(new Set(names).size).toBe(2)
  for (const name of names) expect(name).toMatch(/^(long_){10}long\$[0-9a-f]{8}$/)
})

test('a figure has a column by its own name where possible', () => {
  const names = ['spend', 'Last seen', 'a "quoted" one', 'é'.repeat(31)]
  expect([...figureColumns(names).values()]).toEqual([
    '"spend"',
    '"Last seen"',
    '"a ""quoted"" one"',
    `"${'é'.repeat(31)}"`,
  ])
})

test('a figure has a numbered column when its name is taken, empty, too long or not storable', () => {
  const names = ['key', 'xmin', '', 'é'.repeat(32), 'a\0', '\ud800', 'figure_2']
  const columns = ['1', '3', '4', '5', '6', '7', '2'].map((number) => `"figure_${number}"`)
  expect([...figureColumns(names).values()]).toEqual(columns)
})

test('tables and locks of different generations, projections and schemas differ', () => {
  const [names, others] = [new SqlNames('annals'), new SqlNames('annals2')]
  const [sales, stock] = [
    { name: 'sales', indexNames: [] },
    { name: 'stock', indexNames: [] },
  ]
  const sets = [
    { projection: sales, generation: 'g1' },
    { projection: sales, generation: 'g2' },
    { projection: stock, generation: 'g1' },
  ]
  expect(
    new Set([...sets.map((set) => names.views(set)), ...sets.map((set) => others.views(set))]).size,
  ).toBe(6)
  const keys = [names.lockKey(), names.lockKey(sales), names.lockKey(stock), others.lockKey(sales)]
  expect(new Set(keys).size).toBe(4)
})
