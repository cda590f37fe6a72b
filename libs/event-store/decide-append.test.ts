import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  deriveEventId,
  type EventId,
  type ExpectedVersion,
  noVersion,
  parseStreamId,
  parseVersion,
  type Version,
} from '#domain'

import { type AppendDecision, decideAppend, type KnownEvent } from './decide-append.ts'
import { type ErrorCode, EventStoreError } from './errors.ts'

const streamId = parseStreamId('order.order-42')
const id = (n: number): EventId => deriveEventId(streamId, 'test', n)
const ids = (...numbers: number[]): EventId[] => numbers.map(id)

interface Placed extends KnownEvent {
  readonly offset: number
}

/** A stream that contains the events with these numbers at versions 1, 2, 3 …. */
const stream = (...numbers: number[]): ReadonlyMap<EventId, Placed> =>
  new Map(numbers.map((n, index) => [id(n), { version: parseVersion(index + 1), offset: 100 + index }]))

const decide = (
  eventIds: readonly EventId[],
  known: ReadonlyMap<EventId, Placed>,
  expectedVersion: ExpectedVersion = 'any',
): AppendDecision<Placed> =>
  decideAppend({ streamId, expectedVersion, eventIds }, parseVersion(known.size), known)

function refusal(decision: AppendDecision<Placed>): EventStoreError {
  if (decision.kind !== 'refuse') throw new Error(`expected a refusal, got ${decision.kind}`)
  expect(decision.error).toBeInstanceOf(EventStoreError)
  return decision.error
}

describe('an id that a new stream must not have', () => {
  const odd = parseStreamId('order.4\u202e2')
  const append = { streamId: odd, expectedVersion: 'any', eventIds: ids(7) } as const

  test('creates no stream', () => {
    const { code, details } = refusal(decideAppend(append, noVersion, stream()))
    expect({ code, details }).toEqual({ code: 'invalid-request', details: { path: 'streamId' } })
  })

  test('is accepted for an existing stream', () => {
    const decision = decideAppend(append, parseVersion(2), stream(1, 2))
    expect(decision).toEqual({ kind: 'accept', firstVersion: 3, lastVersion: 3 })
  })
})

describe('new events', () => {
  test('get the versions after the stream’s version', () => {
    expect(decide(ids(7, 8, 9), stream(1, 2))).toEqual({ kind: 'accept', firstVersion: 3, lastVersion: 5 })
  })

  test('create a stream at version 1', () => {
    expect(decide(ids(7), stream())).toEqual({ kind: 'accept', firstVersion: 1, lastVersion: 1 })
  })

  test.each<[ExpectedVersion, number, boolean]>([
    ['any', 0, true],
    ['any', 3, true],
    ['no-stream', 0, true],
    ['no-stream', 3, false],
    ['stream-exists', 0, false],
    ['stream-exists', 3, true],
    [noVersion, 0, true],
    [noVersion, 3, false],
    [parseVersion(3), 3, true],
    [parseVersion(2), 3, false],
    [parseVersion(4), 3, false],
  ])('that expect %s of a stream at %i are accepted: %s', (expected, actual, accepted) => {
    const decision = decideAppend(
      { streamId, expectedVersion: expected, eventIds: ids(1) },
      parseVersion(actual),
      new Map<EventId, Placed>(),
    )
    expect(decision.kind).toBe(accepted ? 'accept' : 'refuse')
    if (accepted) return
    expect(refusal(decision)).toMatchObject({
      code: 'wrong-expected-version' satisfies ErrorCode,
      details: { expected, actual },
    })
  })

  test('that are rejected get a message with the expected and the actual version', () => {
    expect(refusal(decide(ids(7), stream(1, 2), parseVersion(1))).message).toBe(
      'order.order-42 is at version 2, expected 1: load it again and decide again',
    )
  })
})

describe('events that are in the stream', () => {
  test('return their versions and the last known event', () => {
    expect(decide(ids(2, 3), stream(1, 2, 3, 4))).toEqual({
      kind: 'duplicate',
      firstVersion: 2,
      lastVersion: 3,
      last: { version: 3, offset: 102 },
    })
  })

  test.each<ExpectedVersion>(['any', 'no-stream', 'stream-exists', noVersion, parseVersion(99)])(
    'are recognised regardless of the expected version: %s',
    (expected) => {
      expect(decide(ids(1, 2), stream(1, 2), expected).kind).toBe('duplicate')
    },
  )

  test.each([
    ['some are new', ids(2, 9), ids(2)],
    ['new ones come first', ids(9, 8, 2), ids(2)],
    ['the order differs', ids(3, 2), ids(3, 2)],
    ['they are not adjacent', ids(1, 3), ids(1, 3)],
  ])('are rejected when %s', (_, eventIds, known) => {
    expect(refusal(decide(eventIds, stream(1, 2, 3, 4)))).toMatchObject({
      code: 'partial-duplicate' satisfies ErrorCode,
      details: { known },
    })
  })

  test('are rejected as a partial duplicate before the expected version is checked', () => {
    expect(refusal(decide(ids(2, 9), stream(1, 2), parseVersion(77))).code).toBe('partial-duplicate')
  })

  test('are ignored when they are not part of this append', () => {
    expect(decide(ids(9), stream(1, 2)).kind).toBe('accept')
  })
})

describe('malformed ids', () => {
  test('an append without events is rejected', () => {
    expect(refusal(decide([], stream()))).toMatchObject({
      code: 'invalid-request',
      details: { path: 'events' },
    })
  })

  test('a repeated id in one append is rejected with both indexes', () => {
    const error = refusal(decide(ids(5, 6, 5), stream()))
    expect(error).toMatchObject({ code: 'invalid-request', details: { path: 'events[2].id' } })
    expect(error.message).toContain('events[0]')
  })

  test('a repeated id is malformed also when it is already in the stream', () => {
    expect(refusal(decide(ids(1, 1), stream(1, 2))).code).toBe('invalid-request')
  })
})

describe('for any history', () => {
  const numbers = fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 10 })
  const expectation = fc.constantFrom<ExpectedVersion>('any', 'no-stream', 'stream-exists', noVersion)

  test('an accepted append that is sent again returns the first versions', () => {
    fc.assert(
      fc.property(numbers, numbers, expectation, (before, appended, expected) => {
        const fresh = appended.filter((n) => !before.includes(n))
        fc.pre(fresh.length > 0)
        const first = decide(ids(...fresh), stream(...before))
        const again = decide(ids(...fresh), stream(...before, ...fresh), expected)
        expect(first.kind).toBe('accept')
        expect(again).toMatchObject({ ...first, kind: 'duplicate' })
      }),
    )
  })

  test('an append is a duplicate if and only if it is a contiguous part of the stream, and accepted only if all ids are new', () => {
    fc.assert(
      fc.property(numbers, numbers, (history, appended) => {
        const decision = decide(ids(...appended), stream(...history))
        const isRun = `,${history.join(',')},`.includes(`,${appended.join(',')},`)
        const isNew = appended.every((n) => !history.includes(n))
        expect(decision.kind).toBe(isRun ? 'duplicate' : isNew ? 'accept' : 'refuse')
      }),
    )
  })

  test('any sequence of appends produces contiguous versions, each id once', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 12 }), (appends) => {
        const known = new Map<EventId, KnownEvent>()
        let version: Version = noVersion
        for (const append of appends) {
          const decision = decideAppend(
            { streamId, expectedVersion: 'any', eventIds: ids(...append) },
            version,
            known,
          )
          if (decision.kind !== 'accept') continue
          expect(decision.firstVersion).toBe(version + 1)
          append.forEach((n, index) =>
            known.set(id(n), { version: parseVersion(decision.firstVersion + index) }),
          )
          version = decision.lastVersion
        }
        expect(known.size).toBe(version)
      }),
    )
  })
})
