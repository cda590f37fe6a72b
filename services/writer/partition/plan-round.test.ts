import { describe, expect, test } from 'vitest'

import {
  type EventId,
  type ExpectedVersion,
  newEventId,
  noVersion,
  parseVersion,
  type StreamId,
  streamIdOf,
} from '#domain'

import { PendingAppend } from './pending-append.ts'
import { type KnownStream, planRound as plan } from './plan-round.ts'

const stream = streamIdOf('customer', '1')
const other = streamIdOf('customer', '2')

const planRound = (appends: readonly PendingAppend[], known: readonly KnownStream[]) =>
  plan(appends, known, '2026-01-31T12:00:00.000Z')

const append = (
  streamId: StreamId,
  expectedVersion: ExpectedVersion,
  ids: readonly EventId[] = [newEventId()],
): PendingAppend =>
  new PendingAppend(
    streamId,
    expectedVersion,
    ids.map((id) => ({ id, type: 'PurchaseMade', metadata: {}, value: Buffer.alloc(1) })),
    0,
  )

const at = (version: number, events: KnownStream['events'] = new Map()): KnownStream => ({
  version: parseVersion(version),
  events,
})

describe('planRound', () => {
  test('gives appends to one stream consecutive versions, and other streams their own', () => {
    const appends = [
      append(stream, 'any', [newEventId(), newEventId()]),
      append(other, 'any'),
      append(stream, 'any'),
    ]
    const plan = planRound(appends, [at(5), at(0), at(5)])
    expect(plan.accepted.map(({ firstVersion, lastVersion }) => [firstVersion, lastVersion])).toEqual([
      [6, 7],
      [1, 1],
      [8, 8],
    ])
    expect(plan.events.map(({ streamId, version }) => `${streamId}@${version}`)).toEqual([
      'customer.1@6',
      'customer.1@7',
      'customer.2@1',
      'customer.1@8',
    ])
  })

  test('accepts one of two appends with the same expected version, and rejects the other only when the first is in the log', () => {
    const [first, second] = [append(stream, parseVersion(5)), append(stream, parseVersion(5))] as const
    const plan = planRound([first, second], [at(5), at(5)])
    expect(plan.accepted.map((accepted) => accepted.append)).toEqual([first])
    expect([plan.refused, plan.postponed]).toEqual([[], [second]])
    const { refused } = planRound([second], [at(6)])
    expect(refused.map(({ error }) => [error.code, error.details.actual])).toEqual([
      ['wrong-expected-version', 6],
    ])
  })

  test('rejects immediately what contradicts the known version, also next to an append to another stream', () => {
    const late = append(stream, parseVersion(4))
    const plan = planRound([append(other, 'any'), late], [at(0), at(5)])
    expect(plan.refused.map((refused) => refused.append)).toEqual([late])
  })

  test('returns the first result for a known append, with any expected version', () => {
    const id = newEventId()
    const known = new Map([[id, { version: parseVersion(3), offset: 42 }]])
    const plan = planRound([append(stream, 'no-stream', [id])], [at(7, known)])
    expect(plan.duplicates).toMatchObject([{ firstVersion: 3, lastVersion: 3, offset: 42 }])
    expect(plan.events).toEqual([])
  })

  test('postpones an append that repeats ids of this round until the log has them', () => {
    const id = newEventId()
    const again = append(stream, 'any', [id])
    const plan = planRound([append(stream, 'any', [id]), again, append(stream, 'any')], [at(0), at(0), at(0)])
    expect(plan.postponed).toEqual([again])
    expect(plan.events.map(({ version }) => version)).toEqual([1, 2])
  })

  test('does not count a rejected append', () => {
    const plan = planRound(
      [append(stream, 'stream-exists'), append(stream, 'no-stream')],
      [at(noVersion), at(0)],
    )
    expect(plan.refused).toHaveLength(1)
    expect(plan.accepted).toMatchObject([{ firstVersion: 1 }])
  })

  test('fails if too few streams are known', () => {
    expect(() => planRound([append(stream, 'any')], [])).toThrow('0 streams are known for 1 appends')
  })
})
