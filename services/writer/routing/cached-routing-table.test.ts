import { expect, test } from 'vitest'

import type { RoutingTable } from '#kafka'

import { CachedRoutingTable } from './cached-routing-table.ts'

function countedTable() {
  const asked = { times: 0 }
  const table = new CachedRoutingTable(() => {
    asked.times++
    return Promise.resolve<RoutingTable>(new Map())
  })
  return { table, asked }
}

test('the group is asked once, however many want the table, and not again while it is fresh', async () => {
  const { table, asked } = countedTable()
  await Promise.all([table.get(), table.get(), table.get()])
  await table.get()
  expect(asked.times).toBe(1)
})

test('a doubt makes the next one ask anew, though not more often than ten times a second', async () => {
  const { table, asked } = countedTable()
  await table.get()
  table.doubt()
  await table.get()
  expect(asked.times).toBe(1)
  await expect.poll(() => table.get().then(() => asked.times), { timeout: 2_000 }).toBe(2)
  await table.get()
  expect(asked.times).toBe(2)
})
