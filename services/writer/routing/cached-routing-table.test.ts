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

test('concurrent reads share one request to the group, and a fresh table is reused', async () => {
  const { table, asked } = countedTable()
  await Promise.all([table.get(), table.get(), table.get()])
  await table.get()
  expect(asked.times).toBe(1)
})

test('after a doubt the next read requests the table again, at most ten times a second', async () => {
  const { table, asked } = countedTable()
  await table.get()
  table.doubt()
  await table.get()
  expect(asked.times).toBe(1)
  await expect.poll(() => table.get().then(() => asked.times), { timeout: 2_000 }).toBe(2)
  await table.get()
  expect(asked.times).toBe(2)
})

test('successors replace dead owners at each read, without another request', async () => {
  const asked = { times: 0 }
  const owners: RoutingTable = new Map([['eventstore.a/0', { memberId: 'dead', url: 'http://dead' }]])
  const heirs: RoutingTable = new Map([['eventstore.a/0', { memberId: 'heir', url: 'http://heir' }]])
  let isDead = false
  const table = new CachedRoutingTable(
    () => {
      asked.times++
      return Promise.resolve(owners)
    },
    (known) => (isDead ? heirs : known),
  )
  expect(await table.get()).toBe(owners)
  isDead = true
  expect([await table.get(), table.latest, asked.times]).toEqual([heirs, heirs, 1])
})
