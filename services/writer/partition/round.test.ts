import pino from 'pino'
import { Registry } from 'prom-client'
import { expect, test, vi } from 'vitest'

import { newEventId, noVersion, streamIdOf, type Version } from '#domain'
import { LogError } from '#kafka'
import { type Ask, type Checked, type Guard, IndexUnavailableError } from '#redis-index'

import { MemoryBudget } from '../memory/memory-budget.ts'
import { RecentStreams } from '../memory/recent-streams.ts'
import { TermMemory } from '../memory/term-memory.ts'
import { WriterMetrics } from '../writer-metrics.ts'
import { PendingAppend } from './pending-append.ts'
import { ReadLease } from './read-lease.ts'
import { Round, type RoundParts } from './round.ts'

const guard: Guard = { topicId: 'a', producerId: 1n, epoch: 1, nextOffset: 10 }
const stream = streamIdOf('customer', '1')
const metrics = new WriterMetrics(new Registry(), () => 0)

const append = (expectedVersion: 'any' | 'no-stream' = 'any', id = newEventId()) =>
  new PendingAppend(
    stream,
    expectedVersion,
    [{ id, type: 'PurchaseMade', metadata: {}, value: Buffer.alloc(1) }],
    0,
  )

const newMemory = () =>
  new TermMemory({ streams: new RecentStreams(1 << 20), ids: new MemoryBudget(1 << 20) }, 1_000)

/** An index without streams. */
const unknownStreams = (_: Guard, asks: readonly Ask[]): Promise<'guard-lost' | readonly Checked[]> =>
  Promise.resolve(asks.map(() => ({ version: noVersion, places: [] })))

/** A round with the given answers of log and index. */
function roundOf(
  log: () => Promise<unknown> = () => Promise.resolve({ firstOffset: 10, lastOffset: 10, strays: [] }),
  index: Partial<RoundParts['index']> = {},
  { memory = newMemory(), lease = new ReadLease() } = {},
): Round {
  const parts = {
    ...{ topic: 'eventstore.customer', partition: 0, metrics, logger: pino({ level: 'silent' }), lease },
    log: { append: log } as never,
    index: { check: unknownStreams, commit: () => Promise.resolve('committed'), ...index } as never,
    onStrays: () => undefined,
  }
  return new Round(parts, memory)
}

const run = (round: Round, batch: readonly PendingAppend[]) => round.run(guard, round.check(guard, batch))

test('an appended batch advances the guard, and is answered when the owner calls answer', async () => {
  const one = append()
  const outcome = await run(roundOf(), [one])
  if (outcome.kind !== 'appended') return expect.unreachable()
  expect(outcome).toMatchObject({ undecided: [], guard: { nextOffset: 11 } })
  expect(await outcome.commit()).toBe(true)
  outcome.answer()
  expect(await one.answer).toMatchObject({ lastVersion: 1, duplicate: false })
})

test('appends that depend on the versions of this round stay undecided', async () => {
  const id = newEventId()
  const [one, again] = [append('any', id), append('any', id)]
  expect(await run(roundOf(), [one, again])).toMatchObject({ kind: 'appended', undecided: [again] })
})

test.for([
  ['does not answer', () => Promise.reject(new IndexUnavailableError('down'))],
  ['has lost state', () => Promise.resolve('guard-lost')],
] as const)('an index that %s at the commit is considered behind', async ([, commit]) => {
  const outcome = await run(roundOf(undefined, { commit } as never), [append()])
  if (outcome.kind !== 'appended') return expect.unreachable()
  expect(await outcome.commit()).toBe(false)
  expect(outcome.guard.nextOffset).toBe(11)
})

test('no append is decided if the index has lost state before the check', async () => {
  const batch = [append()]
  const check = () => Promise.resolve('guard-lost')
  expect(await run(roundOf(undefined, { check } as never), batch)).toEqual({
    kind: 'index-behind',
    undecided: batch,
  })
})

test('a check without an answer fails the round, and no append is decided', async () => {
  const batch = [append()]
  const error = new IndexUnavailableError('down')
  const check = () => Promise.reject(error)
  expect(await run(roundOf(undefined, { check }), batch)).toEqual({
    kind: 'failed',
    undecided: batch,
    error,
  })
})

test('a batch with an unknown outcome is decided again, before postponed appends', async () => {
  const id = newEventId()
  const batch = [append('any', id), append('any', id)]
  const error = new LogError('unknown', 'no answer')
  const outcome = await run(
    roundOf(() => Promise.reject(error)),
    batch,
  )
  expect(outcome).toEqual({ kind: 'failed', undecided: batch, error })
  expect(batch.map(({ sent }) => sent)).toEqual([true, false])
})

test('a batch that the log rejects is rejected to its callers and not retried', async () => {
  const one = append()
  const error = new LogError('refused', 'too large')
  const refused = one.answer.catch((reason: unknown) => reason)
  expect(
    await run(
      roundOf(() => Promise.reject(error)),
      [one],
    ),
  ).toEqual({ kind: 'failed', undecided: [], error })
  expect(await refused).toMatchObject({ code: 'internal' })
})

test('a round without accepted appends answers its batch and appends nothing', async () => {
  const one = append('no-stream')
  const check = () => Promise.resolve([{ version: 3, places: [] }])
  const refused = one.answer.catch((reason: unknown) => reason)
  expect(await run(roundOf(undefined, { check } as never), [one])).toEqual({
    kind: 'nothing-to-append',
    undecided: [],
  })
  expect(await refused).toMatchObject({ code: 'wrong-expected-version' })
})

test('a batch is answered before its commit ends, and reads can use its guard from then on', async () => {
  const one = append()
  const commit = vi.fn(() => new Promise(() => undefined))
  const outcome = await run(roundOf(undefined, { commit } as never), [one])
  if (outcome.kind !== 'appended') return expect.unreachable()
  expect(commit).not.toHaveBeenCalled()
  void outcome.commit()
  expect(commit).toHaveBeenCalledExactlyOnceWith(
    guard,
    [expect.objectContaining({ streamId: stream, version: 1, offset: 10, eventId: one.eventIds[0] })],
    11,
  )
  outcome.answer()
  expect(await one.answer).toMatchObject({ firstVersion: 1, position: { offset: 10 } })
  expect(outcome.guard).toEqual({ ...guard, nextOffset: 11 })
})

test('an append has no answer until the owner calls answer', async () => {
  const one = append()
  const onAnswer = vi.fn()
  void one.answer.then(onAnswer)
  await run(roundOf(), [one])
  await new Promise(setImmediate)
  expect(onAnswer).not.toHaveBeenCalled()
})

/** A memory that has version 3 of the stream, and the first append's event. */
function busyMemory() {
  const memory = newMemory()
  const first = append()
  memory.append([{ ...event(first), version: 3 as Version }], 7)
  return { memory, first }
}

const event = ({ events: [one] }: PendingAppend) => {
  if (one === undefined) throw new Error('an append without events')
  return { ...one, streamId: stream, timestamp: '2026-01-31T12:00:00.000Z', timestampMs: 0 }
}

test('an append to a stream in memory makes no request to the index before the log', async () => {
  const { memory } = busyMemory()
  const check = vi.fn(unknownStreams)
  const outcome = await run(roundOf(undefined, { check }, { memory }), [append()])
  expect(outcome.kind).toBe('appended')
  expect(check).not.toHaveBeenCalled()
  expect(memory.version(stream)).toBe(4)
})

test('appended events are in memory for the next batch, and no others', async () => {
  const memory = newMemory()
  const one = append()
  await run(roundOf(undefined, {}, { memory }), [one])
  expect(memory.version(stream)).toBe(1)
  expect(memory.placesOf(one.eventIds[0] ?? newEventId())).toEqual([{ version: 1, offset: 10 }])
  const failed = append()
  const lost = () => Promise.reject(new LogError('unknown', 'no answer'))
  await run(roundOf(lost, {}, { memory }), [failed])
  expect(memory.version(stream)).toBe(1)
  expect(memory.placesOf(failed.eventIds[0] ?? newEventId())).toEqual([])
})

test('a repeated append is answered from memory with its first result', async () => {
  const { memory, first } = busyMemory()
  const again = append('no-stream', first.eventIds[0])
  const check = vi.fn(unknownStreams)
  expect(await run(roundOf(undefined, { check }, { memory }), [again])).toEqual({
    kind: 'nothing-to-append',
    undecided: [],
  })
  expect(await again.answer).toMatchObject({ duplicate: true, firstVersion: 3, position: { offset: 7 } })
  expect(check).not.toHaveBeenCalled()
})

test('an append that the log accepts confirms the ownership', async () => {
  const lease = new ReadLease()
  await run(roundOf(undefined, {}, { memory: busyMemory().memory, lease }), [append()])
  expect(lease.isHeld).toBe(true)
})

test('an append that the log does not accept confirms nothing', async () => {
  const lease = new ReadLease()
  const lost = () => Promise.reject(new LogError('unknown', 'no answer'))
  await run(roundOf(lost, {}, { memory: busyMemory().memory, lease }), [append()])
  expect(lease.isHeld).toBe(false)
})

test.each([
  { what: 'confirms', answer: [{ version: noVersion, places: [] }], isHeld: true },
  { what: 'does not confirm', answer: 'guard-lost', isHeld: false },
] as const)('an answer of the index $what the ownership', async ({ answer, isHeld }) => {
  const lease = new ReadLease()
  const round = roundOf(undefined, { check: () => Promise.resolve(answer) }, { memory: newMemory(), lease })
  await round.check(guard, [append()]).known
  expect(lease.isHeld).toBe(isHeld)
})
