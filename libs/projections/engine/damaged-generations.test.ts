import { expect, onTestFinished, test } from 'vitest'

import { project, type Projection } from '#domain'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import { aroundStore } from '../testing/around-store.ts'
import { InMemoryFeed } from '../testing/in-memory-feed.ts'
import { balances, entered, ledger, ledgers } from '../testing/ledger.ts'
import { allViews, eventually, ProjectorInstance, servingState } from '../testing/projector-instance.ts'
import type { GenerationState } from '../view-store/generations.ts'

const sources = ledgers(2)

/** Instances on a store that reports damage of its generations. */
async function started(projection: Projection, instances = 1) {
  const damaged = new Map<string, string>()
  const held = new InMemoryViewStore()
  const store = aroundStore(held, async (method, proceed) => {
    const answer = await proceed()
    if (method !== 'generations.list') return answer
    return (answer as readonly GenerationState[]).map((state) => {
      const damage = damaged.get(state.id)
      return { ...state, ...(damage !== undefined && { damage }) }
    })
  })
  const feed = new InMemoryFeed()
  for (let n = 0; n < 30; n++) feed.append(ledger(n % 2), entered(`${n % 2}-${n % 3}`, n))
  const all: ProjectorInstance[] = []
  for (let n = 0; n < instances; n++) {
    const assigned = sources.filter((_, at) => at % instances === n)
    all.push(await ProjectorInstance.start({ projection, feed, store, sources, assigned }))
  }
  onTestFinished(async () => {
    await Promise.all(all.map((instance) => instance.stop()))
  })
  const expectAll = () =>
    eventually(async () => {
      const serving = await servingState(store, projection)
      expect(serving.damage).toBeUndefined()
      expect(await allViews(store, projection)).toEqual(
        Object.fromEntries(project(projection, new Map(), feed.events)),
      )
    })
  await expectAll()
  return { store, damaged, all, expectAll, projection }
}

const statuses = async ({ store, projection }: Awaited<ReturnType<typeof started>>) =>
  Object.fromEntries((await store.generations.list(projection)).map(({ id, status }) => [id, status]))

test.each([1, 2])(
  'a damaged serving generation is rebuilt and reported once by %i instances',
  async (count) => {
    const given = await started(balances(), count)
    const { id } = await servingState(given.store, given.projection)
    given.damaged.set(id, 'table a is missing')
    await given.expectAll()
    await eventually(async () => {
      expect(Object.values(await statuses(given)).sort()).toEqual(['retired', 'serving'])
    })
    expect((await statuses(given))[id]).toBe('retired')
    const damages = given.all.flatMap((each) => each.damages)
    expect(damages.length).toBeGreaterThan(0)
    expect(new Set(damages)).toEqual(new Set([`${id}: table a is missing`]))
  },
)

test('a damaged rebuild starts over and then takes over', async () => {
  const given = await started(balances())
  const before = await servingState(given.store, given.projection)
  // It cannot finish before it is damaged.
  const damaged = given.damaged
  const [instance] = given.all
  const rebuilt = instance?.runner.rebuild().then((id) => {
    damaged.set(id, 'column key is missing')
    return id
  })
  const id = await rebuilt
  await eventually(async () => {
    const all = await statuses(given)
    expect(all[before.id]).toBe('retired')
    expect(all[id ?? '']).toBe('retired')
  })
  await given.expectAll()
})

test('a damaged look at the past is retired', async () => {
  const given = await started(balances())
  const id = await given.all[0]?.runner.rebuild({ beforeMs: Infinity })
  given.damaged.set(id ?? '', 'table b is missing')
  await eventually(async () => {
    expect((await statuses(given))[id ?? '']).toBe('retired')
  })
  await given.expectAll()
})

test('a generation of a newer build is left alone', async () => {
  const given = await started(balances({ viewVersion: 2 }))
  const { id } = await servingState(given.store, given.projection)
  await Promise.all(given.all.map((instance) => instance.stop()))
  given.damaged.set(id, 'table a is missing')
  const older = await ProjectorInstance.start({
    ...{ projection: balances(), feed: new InMemoryFeed(), store: given.store, sources },
  })
  onTestFinished(() => older.stop())
  await eventually(() => {
    expect(older.problems.join()).toContain('an older build of the domain module?')
  })
  expect(await statuses(given)).toEqual({ [id]: 'serving' })
})

test('a store that refuses steps of a generation it lists as sound is reported', async () => {
  const feed = new InMemoryFeed()
  feed.append(ledger(0), entered('a', 1))
  const store = aroundStore(new InMemoryViewStore(), (method, proceed) =>
    method === 'views.commit' ? Promise.resolve('gone') : proceed(),
  )
  const instance = await ProjectorInstance.start({ projection: balances(), feed, store, sources })
  onTestFinished(() => instance.stop())
  await eventually(() => {
    expect(instance.problems.join()).toMatch(
      /the store refuses steps of generation \w+ of projection balances/,
    )
  })
})
