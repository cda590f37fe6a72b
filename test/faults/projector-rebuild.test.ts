import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'

import { AnnalsClient } from '#client'
import type { GenerationInfo } from '#projections'

import type { Totals } from '../../examples/customers/totals.ts'
import { allPurchases, expectedLifetimes, importPurchases } from '../support/services/cdnow.ts'
import { changedLifetime } from '../support/services/changed-domain.ts'
import { testClient } from '../support/services/closing.ts'
import { Post } from '../support/services/crew.ts'
import { GrowingViews } from '../support/projections/growing-views.ts'
import { metricOf, ownedBy, shortSessions } from '../support/services/projector-process.ts'
import type { Installation } from '../support/services/real-writer.ts'
import { testStack, waitFor } from '../support/stack/stack.ts'
import { TcpProxy } from '../support/proxies/tcp-proxy.ts'
import { caughtUp, viewsOf } from '../support/projections/views-check.ts'
import { expectPublished, expectViewsOfLog, loggedPurchases } from '../support/projections/views-in-log.ts'
import { runningWriter, testInstallation } from '../support/services/writer-fixture.ts'
import { Traffic } from '../support/append/writer-traffic.ts'

// Processes start one after the other: on a busy machine that alone has taken a minute.
vi.setConfig({ testTimeout: 300_000 })

/** Few events per step, so that a rebuild takes a while. */
const slow = { ANNALS_PROJECTOR_BATCH_EVENTS_MAX: '25' }

let where: Installation
let traffic: Traffic

beforeEach(async () => {
  where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4', ...shortSessions, ...slow })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  await importPurchases(client, where.type, allPurchases().slice(0, 6_000))
  traffic = new Traffic(client, where.domain.types, { callers: 3 })
  onTestFinished(() => traffic.stop())
})

test('a rebuild while appends continue and a projector is killed: readers never see less, and the new views neither miss an event nor count one twice', async () => {
  const { lifetime, monthly } = where.domain.projections
  const redis = await TcpProxy.start(testStack().redisUrl)
  onTestFinished(() => redis.close())
  const killed = new Post('projector', where, { ANNALS_REDIS_URL: redis.url })
  const spared = new Post('projector', where)
  await Promise.all([killed.fill(), spared.fill()])
  await waitFor('the partitions to be assigned', async () => {
    const owned = await Promise.all([killed, spared].map(({ url }) => ownedBy(url)))
    return owned.every((count) => count === 2)
  })
  const reader = testClient({ url: spared.url, direct: false })
  const describe = (name: string) => reader.projection(name).describe()
  await waitFor('all of it to be applied', async () =>
    (await Promise.all([lifetime, monthly].map(describe))).every(({ generations: [only] }) =>
      only?.partitions.every(({ lag }) => lag < 100),
    ),
  )
  const views = new GrowingViews(reader, where)
  await views.waitForMore(5)
  const old = (await describe(lifetime)).serving
  // Everything is applied, so only a rebuild counts a customer's first purchase again: its step is held.
  redis.holdFrom('"purchases":1,')
  const rebuilds = await Promise.all([lifetime, monthly].map((name) => reader.projection(name).rebuild()))
  const generationOf = async (name: string): Promise<GenerationInfo | undefined> =>
    (await describe(name)).generations.find(({ id }) => rebuilds.some(({ generation }) => generation === id))
  const rebuild = await waitFor('the rebuild to be running', async () => {
    const generation = await generationOf(lifetime)
    return generation?.status === 'building' && generation.progress.done > 0 && generation
  })
  expect(rebuild.progress.done).toBeLessThan(rebuild.progress.total)
  expect(rebuild.progress.rate).toBeGreaterThan(0)
  expect(rebuild.progress.etaSeconds).toBeGreaterThan(0)
  const { id } = rebuild
  const labels = { generation: id, status: 'building' }
  const ratio = await metricOf(spared.url, 'annals_projector_progress_ratio', labels)
  expect(ratio).toBeGreaterThan(0)
  expect(ratio).toBeLessThan(1)
  await waitFor('one of its steps to be in flight', () => Promise.resolve(redis.held > 0))
  killed.process.kill('SIGKILL')
  // Before its partitions move to the other projector, which then completes the rebuild.
  expect(await describe(lifetime)).toMatchObject({ serving: old })
  redis.release()
  await killed.kill()
  await traffic.waitForMore(100)

  await waitFor(
    'the new generations to serve',
    async () => {
      const statuses = await Promise.all([lifetime, monthly].map(generationOf))
      return statuses.every((generation) => generation?.status === 'serving')
    },
    { timeoutMs: 60_000 },
  )
  await views.waitForMore(5)
  await traffic.waitForMore(100)
  await traffic.stop()
  await caughtUp(spared.url, lifetime)
  expect(await views.stop()).toEqual([])
  await expectViewsOfLog(where, spared.url)
  await expectPublished(where, spared.url)
  expect((await describe(lifetime)).generations.map((each) => each.id)).toEqual([id])
})

test('a definition of a higher version, rolled out by restarting one projector after the other, takes over in one step', async () => {
  const { lifetime } = where.domain.projections
  const newer = changedLifetime(where)
  const posts = [new Post('projector', where), new Post('projector', where)] as const
  await Promise.all(posts.map((post) => post.fill()))
  await waitFor('the projection to serve', async () => {
    const { generations } = await testClient({ url: posts[0].url }).projection(lifetime).describe()
    return generations[0]?.partitions.every(({ lag }) => lag < 100)
  })
  const next = [new Post('projector', where, newer), new Post('projector', where, newer)] as const
  await next[0].fill()
  const client = new AnnalsClient({ url: next[0].url, direct: false })
  onTestFinished(() => client.close())
  const views = new GrowingViews(client, where)
  await views.waitForMore(5)
  await posts[0].leave()
  await views.waitForMore(5)
  // An instance with the older definition still has partitions, and the new one can take over only with all of them.
  const during = await client.projection(lifetime).describe()
  expect(during.generations.map(({ status, viewVersion }) => [status, viewVersion])).toEqual([
    ['serving', 1],
    ['building', 2],
  ])
  await Promise.all([posts[1].leave(), next[1].fill()])
  await waitFor('the newer definition to serve', async () => {
    const { serving, generations } = await client.projection(lifetime).describe()
    return generations.some(({ id, viewVersion }) => id === serving && viewVersion === 2)
  })
  await views.waitForMore(5)
  await traffic.waitForMore(50)
  await traffic.stop()
  await caughtUp(next[0].url, lifetime)
  expect(await views.stop()).toEqual([])
  const expected = [...expectedLifetimes(await loggedPurchases(where))].map(
    ([key, totals]): [string, Totals] => [key, { ...totals, first: null }],
  )
  expect(Object.fromEntries(await viewsOf(next[1].url, lifetime))).toEqual(Object.fromEntries(expected))
})
