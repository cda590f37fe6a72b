import { expect, test } from 'vitest'

import { viewStoreContract } from '#projections/testing'

import { InMemoryViewStore } from './in-memory-view-store.ts'

viewStoreContract('in memory', ({ now }) => ({ store: new InMemoryViewStore({ now }) }))

const projection = { name: 'spend', indexNames: [] }
const generation = {
  id: 'g1',
  viewVersion: 1,
  indexNames: [],
  createdAtMs: 1,
  topicIds: { 'eventstore.order': 'one' },
  range: {},
}

test('a projection that is not prepared is refused, with what to do', async () => {
  const store = new InMemoryViewStore()
  await expect(store.generations.list(projection)).rejects.toThrow(
    'projection spend is not prepared: call prepare()',
  )
})

test('a generation changed by its maker after it was added stays as it was', async () => {
  const store = new InMemoryViewStore()
  await store.prepare(projection)
  const given = structuredClone(generation)
  await store.generations.add(projection, given)
  given.topicIds['eventstore.order'] = 'another'
  expect(await store.generations.list(projection)).toMatchObject([generation])
})

test('without a clock of its own it goes by the machine’s', async () => {
  const store = new InMemoryViewStore()
  await store.prepare(projection)
  await store.generations.add(projection, generation)
  const change = { expected: 0, json: '{}', indexes: {}, changedAtMs: 1 }
  const changes = [
    { ...change, key: 'past', expiresAtMs: Date.now() },
    { ...change, key: 'future', expiresAtMs: Date.now() + 60_000 },
  ]
  const source = { topic: 'eventstore.order', partition: 0 }
  const set = { projection, generation: 'g1' }
  await store.views.commit(set, { source, from: undefined, to: 1, changes, parked: [] })
  expect(await store.views.page(projection, { descending: false, limit: 10 })).toMatchObject({
    found: { views: [{ key: 'future' }] },
  })
})
