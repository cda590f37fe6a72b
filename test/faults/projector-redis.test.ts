import { expect, onTestFinished, test, vi } from 'vitest'

import { testClient } from '../support/services/closing.ts'
import type { RealProjector } from '../support/services/real-projector.ts'
import type { Installation } from '../support/services/real-writer.ts'
import { redisToBreak } from '../support/index/redis-to-break.ts'
import { caughtUp, viewsOf } from '../support/projections/views-check.ts'
import { expectPublished, expectViewsOfLog, topTen } from '../support/projections/views-in-log.ts'
import { runningProjector, runningWriter, testInstallation } from '../support/services/writer-fixture.ts'
import { Traffic } from '../support/append/writer-traffic.ts'
import { testRedisLosses } from './redis-losses.ts'

const redis = redisToBreak()

interface Scene {
  readonly where: Installation
  readonly projector: RealProjector
  readonly traffic: Traffic
}

/** A writer under load and a projector, with their own Redis. */
async function underTraffic(): Promise<Scene> {
  const where = testInstallation({ ANNALS_REDIS_URL: redis.url, ANNALS_KAFKA_PARTITIONS: '4' })
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  const traffic = new Traffic(testClient({ url: writer.url }), where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.waitForMore()
  return { where, projector, traffic }
}

/** After some more load and without intervention, views and changelog match the log. */
async function expectWholeAfterMore({ where, projector, traffic }: Scene): Promise<void> {
  await traffic.waitForMore()
  await traffic.stop()
  await expectViewsOfLog(where, projector.url)
  await expectPublished(where, projector.url)
}

testRedisLosses({ redis, underTraffic, expectWholeAfterMore, emptied: 3, answers: 30 })

test('Redis is emptied while idle: views, and their order, are restored automatically and equal', async () => {
  const { where, projector, traffic } = await underTraffic()
  await traffic.stop()
  const { lifetime, monthly } = where.domain.projections
  const all = async () => ({
    lifetimes: await viewsOf(projector.url, lifetime),
    months: await viewsOf(projector.url, monthly),
    top: await topTen(projector.url, lifetime),
  })
  for (const name of [lifetime, monthly]) await caughtUp(projector.url, name)
  const before = await all()
  await redis.send('FLUSHALL')
  await vi.waitFor(async () => expect(await all()).toEqual(before), { timeout: 30_000, interval: 100 })
  await expectViewsOfLog(where, projector.url)
  await expectPublished(where, projector.url)
})

test('Redis loads an older dump without a restart, under load and while idle', async () => {
  const scene = await underTraffic()
  await redis.send('SAVE')
  await scene.traffic.waitForMore()
  await redis.send('DEBUG RELOAD NOSAVE')
  await expectWholeAfterMore(scene)
  await redis.send('DEBUG RELOAD NOSAVE')
  await expectViewsOfLog(scene.where, scene.projector.url)
  await expectPublished(scene.where, scene.projector.url)
})
