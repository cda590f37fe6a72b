import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient } from '#client'

import { freePorts, type Redis, redisCommand, startRedis } from '../../scripts/stack/index.ts'
import { testClient } from '../support/closing.ts'
import { expectIndexEqualsLog, readLog } from '../support/log-check.ts'
import type { Installation, RealWriter } from '../support/real-writer.ts'
import { waitFor } from '../support/stack.ts'
import {
  freshStream,
  purchase,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../support/writer-fixture.ts'
import { Traffic } from '../support/writer-traffic.ts'

let folder: string
let port: number
let redis: Redis

const partitions = 4

/** Keeps a dump only when told to, so that a restart finds what was saved last, however old. */
const withDump = ['--appendonly', 'no', '--enable-debug-command', 'local']

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
  readonly writers: readonly RealWriter[]
  readonly client: AnnalsClient
  readonly traffic: Traffic
}

/** Two writers under traffic, with a Redis of their own. */
async function underTraffic(): Promise<Scene> {
  const where = testInstallation({ ANNALS_REDIS_URL: redis.url, ANNALS_KAFKA_PARTITIONS: String(partitions) })
  const writers = await Promise.all([runningWriter(where), runningWriter(where)])
  const client = testClient({ urls: writers.map(({ url }) => url) })
  const traffic = new Traffic(client, where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.goesOn()
  return { where, writers, client, traffic }
}

/** After some more traffic: the log is whole, and the index says what the log says. */
async function expectWholeAfterMore(scene: Scene): Promise<void> {
  await scene.traffic.goesOn()
  await scene.traffic.stop()
  await expectWhole(scene)
}

async function expectWhole({ where, writers, client, traffic }: Scene): Promise<void> {
  // An owner at rest learns from the next request that Redis has lost something; a read waits for the catch-up.
  await Promise.all(streamPerPartition(where.type, partitions).map((streamId) => client.load(streamId)))
  await waitFor('all partitions are served', () =>
    Promise.resolve(writers.every(({ writer }) => writer.checkServing().owned > 0)),
  )
  const log = await readLog(where)
  traffic.expectWhole(log)
  await expectIndexEqualsLog(where)
}

test('Redis is emptied in mid-traffic, again and again', async () => {
  const scene = await underTraffic()
  for (let round = 0; round < 5; round++) {
    await tell('FLUSHALL')
    await scene.traffic.goesOn(20)
  }
  await expectWholeAfterMore(scene)
})

test('Redis is killed in mid-traffic, and comes back with an older dump', async () => {
  const scene = await underTraffic()
  await tell('SAVE')
  await scene.traffic.goesOn()
  await killAndStart(...withDump)
  await expectWholeAfterMore(scene)
})

test('Redis loads an older dump without ever going away', async () => {
  const scene = await underTraffic()
  await tell('SAVE')
  await scene.traffic.goesOn()
  await tell('DEBUG RELOAD NOSAVE')
  await expectWholeAfterMore(scene)
})

test('Redis is killed in mid-traffic, and comes back with what its append-only file has', async () => {
  await killAndStart('--appendfsync', 'no')
  const scene = await underTraffic()
  for (let round = 0; round < 2; round++) {
    await killAndStart('--appendfsync', 'no')
    await scene.traffic.goesOn(20)
  }
  await expectWholeAfterMore(scene)
})

test('while Redis is down appends and reads are refused promptly, nothing is written, and afterwards all is served again', async () => {
  const scene = await underTraffic()
  await scene.traffic.stop()
  const impatient = testClient({ url: (await scene.client.owners())[0]?.url ?? '', retries: { triesMax: 1 } })
  const streamId = freshStream(scene.where.type)
  const epochs = await spentEpochs(scene)
  await redis.stop()
  for (let round = 0; round < 10; round++) {
    for (const call of [() => impatient.append(streamId, [purchase()]), () => impatient.load(streamId)]) {
      const start = performance.now()
      await expect(call()).rejects.toMatchObject({ code: 'unavailable', httpStatus: 503 })
      expect(performance.now() - start).toBeLessThan(3_000)
    }
  }
  await start(...withDump)
  const again = await waitFor('appends are served', () => scene.client.append(streamId, [purchase()]))
  expect(again.firstVersion).toBe(1)
  expect(await spentEpochs(scene), 'take-overs while Redis was away').toBeLessThan(epochs + 2 * partitions)
  await expectWhole(scene)
})

/** Markers in the log: offsets without an event. Each take-over leaves one. */
async function spentEpochs({ where }: Scene): Promise<number> {
  const log = await readLog(where)
  return log.reduce((sum, { endOffset, events }) => sum + endOffset - events.length, 0)
}
