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

test('an unprepared projection is rejected with a hint to prepare it', async () => {
  const store = new InMemoryViewStore()
  await expect(store.generations.list(projection)).rejects.toThrow(
    'projection spend is not prepared: call prepare()',
  )
})

test('changing the caller’s object after add does not change the stored generation', async () => {
  const store = new InMemoryViewStore()
  await store.prepare(projection)
  const given = structuredClone(generation)
  await store.generations.add(projection, given)
  given.topicIds['eventstore.order'] = 'another'
  expect(await store.generations.list(projection)).toMatchObject([generation])
})

test('without the option now it uses the machine’s clock', async () => {
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
