import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'

import { freePorts, type Redis, redisCommand, startRedis } from '../../scripts/stack/index.ts'
import { testClient } from '../support/closing.ts'
import type { RealProjector } from '../support/real-projector.ts'
import type { Installation } from '../support/real-writer.ts'
import { caughtUp, viewsOf } from '../support/views-check.ts'
import { expectPublished, expectViewsOfLog, topTen } from '../support/views-in-log.ts'
import { runningProjector, runningWriter, testInstallation } from '../support/writer-fixture.ts'
import { Traffic } from '../support/writer-traffic.ts'

let folder: string
let port: number
let redis: Redis

/** Keeps a dump only when told to, so that a restart finds what was saved last, however old. */
const withDump = ['--appendonly', 'no', '--enable-debug-command', 'local']
const withFile = ['--appendfsync', 'no']

async function start(...settings: string[]): Promise<void> {
  redis = await startRedis({ port, folder, logFile: join(folder, 'redis.log'), settings })
}

/** @throws Error what Redis says against it. */
async function tell(command: string): Promise<void> {
  const answer = await redisCommand({ host: '127.0.0.1', port }, command)
  if (answer.startsWith('-')) throw new Error(`${command}: ${answer}`)
}

async function killAndStart(...settings: string[]): Promise<void> {
  redis.kill('SIGKILL')
  await redis.exited
  await start(...settings)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-redis-'))
  port = (await freePorts(1))[0] ?? 0
})
beforeEach(async () => {
  await start(...withDump)
  await tell('FLUSHALL')
  return () => redis.stop()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Scene {
  readonly where: Installation
  readonly projector: RealProjector
  readonly traffic: Traffic
}

/** A writer under traffic and a projector, with a Redis of their own. */
async function underTraffic(): Promise<Scene> {
  const where = testInstallation({ ANNALS_REDIS_URL: redis.url, ANNALS_KAFKA_PARTITIONS: '4' })
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  const traffic = new Traffic(testClient({ url: writer.url }), where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.goesOn()
  return { where, projector, traffic }
}

/** After some more traffic, and with nobody's help, views and changelog are what the log says. */
async function expectWholeAfterMore({ where, projector, traffic }: Scene): Promise<void> {
  await traffic.goesOn()
  await traffic.stop()
  await expectViewsOfLog(where, projector.url)
  await expectPublished(where, projector.url)
}

test('Redis is emptied in mid-traffic, again and again', async () => {
  const scene = await underTraffic()
  for (let round = 0; round < 3; round++) {
    await tell('FLUSHALL')
    await scene.traffic.goesOn(30)
  }
  await expectWholeAfterMore(scene)
})

test('Redis is emptied while nothing happens: views, and their order, come back by themselves, equal to before', async () => {
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
  await tell('FLUSHALL')
  await vi.waitFor(async () => expect(await all()).toEqual(before), { timeout: 10_000, interval: 100 })
  await expectViewsOfLog(where, projector.url)
  await expectPublished(where, projector.url)
})

test('Redis is killed in mid-traffic, and comes back with an older dump', async () => {
  const scene = await underTraffic()
  await tell('SAVE')
  await scene.traffic.goesOn()
  await killAndStart(...withDump)
  await expectWholeAfterMore(scene)
})

test('Redis loads an older dump without ever going away, in mid-traffic and while nothing happens', async () => {
  const scene = await underTraffic()
  await tell('SAVE')
  await scene.traffic.goesOn()
  await tell('DEBUG RELOAD NOSAVE')
  await expectWholeAfterMore(scene)
  await tell('DEBUG RELOAD NOSAVE')
  await expectViewsOfLog(scene.where, scene.projector.url)
  await expectPublished(scene.where, scene.projector.url)
})

test('Redis is killed in mid-traffic, and comes back with what its append-only file has', async () => {
  await killAndStart(...withFile)
  const scene = await underTraffic()
  for (let round = 0; round < 2; round++) {
    await killAndStart(...withFile)
    await scene.traffic.goesOn(30)
  }
  await expectWholeAfterMore(scene)
})
