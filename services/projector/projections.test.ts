import { expect, test } from 'vitest'

import { InMemoryViewStore, type NewGeneration, type ViewCommit } from '#projections'
import { balances, InMemoryFeed, ledger } from '#projections/testing'

import { AppliedEvents } from './applied-events.ts'
import { GenerationWatch } from './generation-watch.ts'
import { Projections } from './projections.ts'

const projection = balances()
const source = ledger(0)

/** A store with a serving and a kept generation, both with a view `a`. */
async function served(isOfOldLog: boolean) {
  const store = new InMemoryViewStore()
  await store.prepare(projection)
  const view = { key: 'a', expected: 0, json: '{}', indexes: { balance: 1 }, changedAtMs: 1 }
  const step: ViewCommit = { source, from: undefined, to: 1, changes: [view], parked: [] }
  const made = { viewVersion: 1, indexNames: ['balance'], createdAtMs: 1, topicIds: {}, range: {} }
  const generations: readonly NewGeneration[] = [
    { ...made, id: 'g1' },
    { ...made, id: 'g2', until: { beforeMs: 2 } },
  ]
  for (const generation of generations) {
    await store.generations.add(projection, generation)
    await store.views.commit({ projection, generation: generation.id }, step)
  }
  const refused = () => Promise.reject(new Error('there is no changelog here'))
  return new Projections({
    ...{
      store,
      feed: new InMemoryFeed(),
      appliedEvents: new AppliedEvents(new GenerationWatch(store.generations), 10),
      afterTimeoutMs: 10,
    },
    states: { checkReadable: () => undefined, waiting: () => [] },
    projections: [{ projection, sources: [source], rebuild: refused, isOfOldLog: () => isOfOldLog }],
    changelog: {
      cursorNow: refused,
      checkUpdates: refused,
      async *subscribe() {
        await refused()
      },

      async *updates() {
        await refused()
      },
    },
  })
}

test('views of the current log are served', async () => {
  const projections = await served(false)
  expect(await projections.view('balances', 'a')).toMatchObject({ key: 'a', view: {} })
  expect(await projections.view('balances', 'a', { generation: 'g2' })).toMatchObject({ key: 'a' })
})

test('nothing is served of a replaced log, including kept generations', async () => {
  const projections = await served(true)
  await expect(projections.view('balances', 'a')).rejects.toMatchObject({ code: 'unavailable' })
  await expect(projections.deadLetters('balances')).rejects.toMatchObject({ code: 'unavailable' })
  await expect(projections.views('balances', {})).rejects.toMatchObject({ code: 'unavailable' })
  await expect(projections.view('balances', 'a', { generation: 'g2' })).rejects.toMatchObject({
    code: 'generation-not-found',
  })
})
