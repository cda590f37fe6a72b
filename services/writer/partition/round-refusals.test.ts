import pino from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { newEventId, streamIdOf, type Version } from '#domain'
import { type Ask, type Guard, IndexUnavailableError, type PartitionIndex } from '#redis-index'

import { MemoryBudget } from '../memory/memory-budget.ts'
import { RecentStreams } from '../memory/recent-streams.ts'
import { TermMemory } from '../memory/term-memory.ts'
import { WriterMetrics } from '../writer-metrics.ts'
import { PendingAppend } from './pending-append.ts'
import { ReadLease } from './read-lease.ts'
import { Round } from './round.ts'

// Memory may be out of date when another owner has taken over. A rejection must not be answered from it alone.

const guard: Guard = { topicId: 'a', producerId: 1n, epoch: 1, nextOffset: 10 }
const stream = streamIdOf('customer', '1')

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** A round of an owner whose memory has version 3 of the stream, and whose ownership was confirmed `agoMs` before. */
async function roundOf(agoMs: number, check: PartitionIndex['check'] = () => Promise.resolve([])) {
  const memory = new TermMemory(
    { streams: new RecentStreams(1 << 20), ids: new MemoryBudget(1 << 20) },
    1_000,
  )
  const event = {
    id: newEventId(),
    type: 'PurchaseMade',
    metadata: {},
    value: Buffer.alloc(1),
    timestampMs: 0,
  }
  memory.append(
    [{ ...event, streamId: stream, version: 3 as Version, timestamp: '2026-01-31T12:00:00.000Z' }],
    7,
  )
  const lease = new ReadLease()
  await lease.confirm(
    () => Promise.resolve(),
    () => true,
  )
  vi.advanceTimersByTime(agoMs)
  const asked = vi.fn<(guard: Guard, asks: readonly Ask[]) => ReturnType<PartitionIndex['check']>>(check)
  const appended = vi.fn(() => Promise.resolve({ firstOffset: 10, lastOffset: 10, strays: [] }))
  const round = new Round(
    {
      ...{ topic: 'eventstore.customer', partition: 0, lease, logger: pino({ level: 'silent' }) },
      metrics: new WriterMetrics(new Registry(), () => 0),
      log: { append: appended } as never,
      index: { check: asked, commit: () => Promise.resolve('committed') } as never,
      onStrays: () => undefined,
    },
    memory,
  )
  return { round, asked, appended, lease }
}

const append = (expectedVersion: 'any' | 'no-stream') =>
  new PendingAppend(
    stream,
    expectedVersion,
    [{ id: newEventId(), type: 'PurchaseMade', metadata: {}, value: Buffer.alloc(1) }],
    0,
  )

const answerOf = (one: PendingAppend) => one.answer.catch((error: unknown) => error)

/** Whether an append has an answer when everything that can run has run. */
async function isAnswered(one: PendingAppend): Promise<boolean> {
  const pending = Symbol('pending')
  const first = await Promise.race([
    answerOf(one),
    new Promise((resolve) => {
      setImmediate(() => {
        resolve(pending)
      })
    }),
  ])
  return first !== pending
}

test('while the lease is held, memory alone rejects an append', async () => {
  const { round, asked } = await roundOf(19)
  const one = append('no-stream')
  const refused = answerOf(one)
  expect(await round.run(guard, round.check(guard, [one]))).toEqual({
    kind: 'nothing-to-append',
    undecided: [],
  })
  expect(await refused).toMatchObject({ code: 'wrong-expected-version', details: { actual: 3 } })
  expect(asked).not.toHaveBeenCalled()
})

test('when the lease is over, the index confirms the ownership before a rejection', async () => {
  const { round, asked, lease } = await roundOf(20)
  const one = append('no-stream')
  const refused = answerOf(one)
  expect(await round.run(guard, round.check(guard, [one]))).toEqual({
    kind: 'nothing-to-append',
    undecided: [],
  })
  expect(await refused).toMatchObject({ code: 'wrong-expected-version', details: { actual: 3 } })
  expect(asked.mock.calls).toEqual([[guard, []]])
  expect(lease.isHeld).toBe(true)
})

test('a rejection waits for the confirmation', async () => {
  const confirmed = Promise.withResolvers<never[]>()
  const { round } = await roundOf(20, () => confirmed.promise)
  const one = append('no-stream')
  const outcome = round.run(guard, round.check(guard, [one]))
  expect(await isAnswered(one)).toBe(false)
  confirmed.resolve([])
  await outcome
  expect(await isAnswered(one)).toBe(true)
})

test('if the guard is lost, nothing is decided and nothing is appended', async () => {
  const { round, appended } = await roundOf(20, () => Promise.resolve('guard-lost'))
  const batch = [append('no-stream'), append('any')]
  expect(await round.run(guard, round.check(guard, batch))).toEqual({
    kind: 'index-behind',
    undecided: batch,
  })
  for (const one of batch) expect(await isAnswered(one)).toBe(false)
  expect(appended).not.toHaveBeenCalled()
})

test('if the index does not answer, nothing is decided', async () => {
  const error = new IndexUnavailableError('down')
  const { round, appended } = await roundOf(20, () => Promise.reject(error))
  const batch = [append('no-stream'), append('any')]
  expect(await round.run(guard, round.check(guard, batch))).toEqual({
    kind: 'failed',
    undecided: batch,
    error,
  })
  for (const one of batch) expect(await isAnswered(one)).toBe(false)
  expect(appended).not.toHaveBeenCalled()
})

test('an accepted append needs no confirmation: the log’s fence decides', async () => {
  const { round, asked, appended } = await roundOf(1_000)
  expect(await round.run(guard, round.check(guard, [append('any')]))).toMatchObject({ kind: 'appended' })
  expect(asked).not.toHaveBeenCalled()
  expect(appended).toHaveBeenCalledTimes(1)
})
