import pino from 'pino'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'

import { newEventId, noVersion, streamIdOf } from '#domain'
import { LogError } from '#kafka'
import { type Guard, IndexUnavailableError } from '#redis-index'

import { WriterMetrics } from '../writer-metrics.ts'
import { PendingAppend } from './pending-append.ts'
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

/** A round with the given answers of log and index. */
function roundOf(
  log: () => Promise<unknown> = () => Promise.resolve({ firstOffset: 10, lastOffset: 10, strays: [] }),
  index: Partial<RoundParts['index']> = {},
): Round {
  const unknownStreams = (_: Guard, batch: readonly unknown[]) =>
    Promise.resolve({ versions: batch.map(() => noVersion), known: batch.map(() => new Map()) })
  return new Round({
    ...{ topic: 'eventstore.customer', partition: 0, metrics, logger: pino({ level: 'silent' }) },
    log: { append: log } as never,
    index: { check: unknownStreams, commit: () => Promise.resolve('committed'), ...index } as never,
    onStrays: () => undefined,
  })
}

const run = (round: Round, batch: readonly PendingAppend[]) => round.run(guard, round.check(guard, batch))

test('an appended batch advances the guard, and is answered when the owner calls answer', async () => {
  const one = append()
  const outcome = await run(roundOf(), [one])
  if (outcome.kind !== 'appended') return expect.unreachable()
  expect(outcome).toMatchObject({ undecided: [], guard: { nextOffset: 11 } })
  expect(await outcome.committed).toBe(true)
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
  expect(await outcome.committed).toBe(false)
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
  const check = () => Promise.resolve({ versions: [3], known: [new Map()] })
  const refused = one.answer.catch((reason: unknown) => reason)
  expect(await run(roundOf(undefined, { check } as never), [one])).toEqual({
    kind: 'nothing-to-append',
    undecided: [],
  })
  expect(await refused).toMatchObject({ code: 'wrong-expected-version' })
})
