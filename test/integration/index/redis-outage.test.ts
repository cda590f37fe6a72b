import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Version } from '#domain'
import { catchUp, IndexUnavailableError, type PartitionIndex } from '#redis-index'

import { freePorts, type Redis, startRedis } from '../../../scripts/stack/index.ts'
import {
  claimed,
  entries,
  entry,
  held,
  openRedis,
  order,
  patientMs,
  rememberedIdsOf,
  wholeLog,
} from '../../support/index/redis-index.ts'
import { waitFor } from '../../support/stack/stack.ts'

let folder: string
let port: number
let server: Redis
const startServer = (...settings: string[]) =>
  startRedis({ port, folder, logFile: join(folder, 'redis.log'), settings })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-redis-'))
  port = (await freePorts(1))[0] ?? 0
  server = await startServer()
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The time until the promise is rejected as unavailable. */
async function refusedInMs(promise: Promise<unknown>): Promise<number> {
  const started = performance.now()
  await expect(promise).rejects.toThrow(IndexUnavailableError)
  return performance.now() - started
}

const guardAgain = (index: PartitionIndex) =>
  waitFor('Redis answers again', () => index.guard().catch(() => undefined))

test('scripts that Redis has lost are sent again, even during pipelined commits', async () => {
  const redis = await openRedis(server.url)
  const { index, guard } = await claimed(redis)
  await index.commit(guard, [entry('a', 1, 0)], 1)
  await redis.call('SCRIPT', ['FLUSH'])
  const answers = await Promise.all(
    [1, 2, 3].map((offset) =>
      index.commit({ ...guard, nextOffset: offset }, [entry('a', offset + 1, offset)], offset + 1),
    ),
  )
  expect(answers.map((answer) => held(answer).nextOffset)).toEqual([2, 3, 4])
})

test('while Redis is stopped calls fail immediately; after a restart with its file, everything is unchanged', async () => {
  const redis = await openRedis(server.url)
  const { index, guard } = await claimed(redis)
  const after = held(await index.commit(guard, entries('a', 1, 200, 0), 200))
  await server.stop()
  const tookMs = [await refusedInMs(index.commit(after, entries('a', 201, 201, 200), 201))]
  for (let i = 0; i < 100; i += 1) tookMs.push(await refusedInMs(index.check(after, [])))
  // No call waits for its time-out, though a stalled machine may delay one of them.
  expect(Math.max(...tookMs)).toBeLessThan(patientMs / 3)
  expect(tookMs.toSorted((one, other) => one - other)[50]).toBeLessThan(500)
  await expect(index.guard()).rejects.toThrow(`Redis at 127.0.0.1:${port}`)

  server = await startServer()
  expect(await guardAgain(index)).toEqual(after)
  held(await index.commit(after, entries('a', 201, 201, 200), 201))
})

test('commands in flight when Redis is killed fail, and the guard shows whether a commit was applied', async () => {
  const redis = await openRedis(server.url)
  // By default, Redis also answers before it writes to its file while an earlier fsync is in progress.
  await redis.call('CONFIG', ['SET', 'appendfsync', 'always'])
  const { index, guard } = await claimed(redis)
  const sent = Array.from({ length: 50 }, (_, offset) =>
    index.commit({ ...guard, nextOffset: offset }, entries('a', offset + 1, offset + 1, offset), offset + 1),
  )
  const settled = Promise.allSettled(sent)
  await sent[0]
  server.kill('SIGKILL')
  const results = await settled
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(IndexUnavailableError)
  }
  await server.exited
  server = await startServer()
  const again = await guardAgain(index)
  const { nextOffset } = again
  expect(nextOffset).toBeGreaterThanOrEqual(results.filter(({ status }) => status === 'fulfilled').length)
  expect(await index.info(again, order('a'))).toMatchObject({ version: nextOffset })
  const all = entries('a', 1, 60, 0)
  const read = async function* (fromOffset: number) {
    yield await Promise.resolve({ entries: all.slice(fromOffset), nextOffset: 60 })
  }
  const caughtUp = await catchUp(index, { ...wholeLog, ...guard, endOffset: 60, read })
  expect(caughtUp).toEqual({ ...guard, nextOffset: 60 })
  expect(await index.info(caughtUp, order('a'))).toMatchObject({ version: 60 })
})

test('calls to a hanging Redis time out, and nothing piles up behind them', async () => {
  const redis = await openRedis(server.url, 1_000)
  const { index, guard } = await claimed(redis)
  server.kill('SIGSTOP')
  try {
    expect(await refusedInMs(index.commit(guard, entries('a', 1, 1, 0), 1))).toBeLessThan(patientMs / 3)
    await waitFor('calls fail at once', async () => (await refusedInMs(index.check(guard, []))) < 50)
  } finally {
    server.kill('SIGCONT')
  }
  // Redis may still have read the commit that timed out. The guard shows it.
  expect((await guardAgain(index)).nextOffset).toBeOneOf([0, 1])
})

test('a Redis without memory refuses a whole commit, and the error says why', async () => {
  const redis = await openRedis(server.url)
  const { index, guard } = await claimed(redis)
  const after = held(await index.commit(guard, entries('a', 1, 1, 0), 1))
  await redis.call('CONFIG', ['SET', 'maxmemory', '1mb', 'maxmemory-policy', 'volatile-lfu'])
  try {
    await expect(index.commit(after, [entry('b', 1, 1), entry('a', 2, 2)], 3)).rejects.toThrow(/OOM/)
  } finally {
    await redis.call('CONFIG', ['SET', 'maxmemory', '0'])
  }
  expect(await index.guard()).toEqual(after)
  expect(await index.info(after, order('b'))).toBeUndefined()
  expect(held(await index.stream(after, order('a')))).toMatchObject({ version: 1 })
})

test('under memory pressure Redis evicts snapshots, never versions, offsets or ids', async () => {
  const redis = await openRedis(server.url)
  const run = await claimed(redis)
  const { index } = run
  let { guard } = run
  const state = Buffer.alloc(10_000, 'x')
  const used = Number(/used_memory:(\d+)/.exec(String(await redis.call('INFO', ['memory'])))?.[1])
  await redis.call('CONFIG', [
    'SET',
    'maxmemory',
    String(used + 8_000_000),
    'maxmemory-policy',
    'volatile-lfu',
  ])
  try {
    for (let offset = 0; offset < 3_000; offset += 100) {
      const events = Array.from({ length: 100 }, (_, i) => entry(`s${offset + i}`, 1, offset + i))
      guard = held(await index.commit(guard, events, offset + 100))
      const snapshot = { version: 1 as Version, stateVersion: 1, timestampMs: 0, state }
      for (const { streamId } of events) await index.saveSnapshot(streamId, snapshot)
    }
    let snapshots = 0
    await index.forEachStream(async (streamId) => {
      const stream = held(await index.stream(guard, streamId, { stateVersion: 1 }))
      if (stream.snapshot !== undefined) snapshots++
      else expect(stream.places).toHaveLength(1)
      expect(stream.version).toBe(1)
    })
    expect(snapshots).toBeGreaterThan(0)
    expect(snapshots).toBeLessThan(1_000)
    expect(await rememberedIdsOf(index, guard)).toHaveLength(3_000)
  } finally {
    await redis.call('CONFIG', ['SET', 'maxmemory', '0'])
  }
})
