import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  createUpcasterChain,
  defineAggregate,
  defineProjection,
  defineUpcaster,
  type DomainEvent,
} from '../index.ts'
import { account, type AccountEvent, deposited, withdrawn } from './account.ts'
import { differences } from './differences.ts'
import { given, givenEvents, recordEvents, ScenarioError, upcastingCommutes } from './index.ts'

const withdraw = (amount: number) => ({ type: 'Withdraw', data: { amount } }) as const

/** The error of a failing check. */
function failureOf(check: () => unknown): ScenarioError {
  try {
    check()
  } catch (error) {
    if (error instanceof ScenarioError) return error
    throw error
  }
  throw new Error('expected the check to fail, but it passed')
}

describe('given, when, then', () => {
  const rich = given(account, [deposited(100)])

  test('passes when the outcome is as expected', () => {
    rich.when(withdraw(1)).then([withdrawn(1)])
    rich
      .when(withdraw(100))
      .then([withdrawn(100)])
      .thenState({ balance: 0, checksum: 41_727 })
    rich.when(withdraw(101)).thenRefused('overdrawn')
    rich.thenState({ balance: 100, checksum: 1_317 })
  })

  test('can be returned from an asynchronous test: its checks are not promises', async () => {
    const checked = await Promise.resolve(rich.when(withdraw(1)).then([withdrawn(1)]))
    checked.thenState({ balance: 99, checksum: 41_826 })
  })

  test('reports differences between events, with both for the runner’s diff', () => {
    const failure = failureOf(() => rich.when(withdraw(1)).then([withdrawn(2), deposited(1)]))
    expect(failure.message).toBe(
      [
        'Withdraw produced other events:',
        '  [0].data.amount: expected 2, got 1',
        '  [1]: expected {"type":"Deposited","data":{"amount":1}}, got nothing',
      ].join('\n'),
    )
    expect(failure).toMatchObject({
      name: 'AssertionError',
      showDiff: true,
      expected: [withdrawn(2), deposited(1)],
      actual: [withdrawn(1)],
    })
  })

  test('reports a different state', () => {
    expect(failureOf(() => rich.when(withdraw(1)).thenState({ balance: 98, checksum: 41_826 })).message).toBe(
      'the state after Withdraw differs:\n  balance: expected 98, got 99',
    )
    expect(failureOf(() => rich.thenState({ balance: 1, checksum: 1_317 })).message).toBe(
      'the state after the given events differs:\n  balance: expected 1, got 100',
    )
  })

  test('reports that a command was unexpectedly refused', () => {
    const refused = 'Withdraw was refused with overdrawn: 101 of 100'
    const failure = failureOf(() => rich.when(withdraw(101)).then([]))
    expect(failure.message).toBe(refused)
    expect(failure.cause).toMatchObject({ name: 'DomainError', code: 'overdrawn' })
    expect(failureOf(() => rich.when(withdraw(101)).thenState({ balance: 1, checksum: 1 })).message).toBe(
      refused,
    )
  })

  test('reports that a command was unexpectedly accepted, or refused for another reason', () => {
    expect(failureOf(() => rich.when(withdraw(1)).thenRefused('overdrawn')).message).toBe(
      'expected Withdraw to be refused with overdrawn, but it produced [{"type":"Withdrawn","data":{"amount":1}}]',
    )
    expect(failureOf(() => rich.when(withdraw(101)).thenRefused('closed')).message).toBe(
      'expected Withdraw to be refused with closed, but it was refused with overdrawn: 101 of 100',
    )
  })

  test('throws errors in the domain’s code unchanged', () => {
    const faulty = defineAggregate<number, AccountEvent, { type: 'Fail'; data: null }>({
      type: 'faulty',
      initialState: 0,
      evolve: { Deposited: (n) => n, Withdrawn: (n) => n },
      decide: {
        Fail: () => {
          throw new TypeError('a fault')
        },
      },
    })
    expect(() => given(faulty, []).when({ type: 'Fail', data: null })).toThrow(TypeError)
  })
})

describe('given events, then views', () => {
  const balances = defineProjection<number, AccountEvent>({
    name: 'balances',
    source: 'account',
    keyedBy: 'stream',
    initialView: 0,
    on: {
      Deposited: (balance, { data }) => balance + data.amount,
      Withdrawn: (balance, { data }) => (balance === data.amount ? null : balance - data.amount),
    },
    indexes: { balance: (view) => view },
  })
  const views = givenEvents(balances, [
    ...recordEvents('account.1', [deposited(5)]),
    ...recordEvents('account.2', [deposited(5), withdrawn(5)]),
  ])

  test('passes when the outcome is as expected', () => {
    views
      .thenView('1', 5)
      .thenNoView('2')
      .thenNoView('3')
      .thenViews({ '1': 5 })
      .thenIndexes('1', { balance: 5 })
  })

  test.each([
    [() => views.thenView('1', 6), 'view "1" of balances differs:\n  value: expected 6, got 5'],
    [() => views.thenView('2', 6), 'balances has no view "2": it has "1"'],
    [() => givenEvents(balances, []).thenView('2', 6), 'balances has no view "2": it has none'],
    [() => views.thenNoView('1'), 'expected balances to have no view "1":\n  value: expected nothing, got 5'],
    [() => views.thenViews({}), 'views of balances differ:\n  [1]: expected nothing, got 5'],
    [
      () => views.thenIndexes('1', { balance: 4 }),
      'indexes of view "1" of balances differ:\n  balance: expected 4, got 5',
    ],
  ])('reports the differences (%#)', (check, message) => {
    expect(failureOf(check).message).toBe(message)
  })
})

describe('recorded events', () => {
  test('look like events of the log, and are the same for the same call', () => {
    const recorded = recordEvents('account.1', [deposited(1), deposited(2)], { metadata: { userId: 'u' } })
    expect(recorded).toMatchObject([
      {
        type: 'Deposited',
        data: { amount: 1 },
        streamId: 'account.1',
        version: 1,
        metadata: { userId: 'u' },
      },
      {
        version: 2,
        position: { topic: 'eventstore.account', partition: 0, offset: 1 },
        timestamp: '2026-01-01T00:00:01.000Z',
      },
    ])
    expect(recordEvents('account.1', [deposited(1), deposited(2)], { metadata: { userId: 'u' } })).toEqual(
      recorded,
    )
    expect(recorded[0]?.id).not.toBe(recorded[1]?.id)
  })
})

describe('upcasting that commutes with folding', () => {
  type Legacy = DomainEvent<'Deposited', { readonly cents: number }> | AccountEvent
  const legacy = defineAggregate<number, DomainEvent<'Deposited', { readonly cents: number }>>({
    type: 'account',
    initialState: 0,
    evolve: { Deposited: (sum, { data }) => sum + data.cents / 100 },
  })
  const current = defineAggregate<number, DomainEvent<'Deposited', { readonly amount: number }>>({
    type: 'account',
    initialState: 0,
    evolve: { Deposited: (sum, { data }) => sum + data.amount },
  })
  const chainBy = (divisor: number) =>
    createUpcasterChain([
      defineUpcaster<{ cents: number }, { amount: number }>({
        aggregateType: 'account',
        eventType: 'Deposited',
        fromVersion: 1,
        upcast: ({ cents }) => ({ amount: cents / divisor }),
      }),
    ])
  const old = (cents: number) => ({ type: 'Deposited', data: { cents } }) as const
  const versions = { Deposited: { from: 1, to: 2 } }

  test('passes for any events', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000)), (cents) => {
        upcastingCommutes({ legacy, current, chain: chainBy(100), versions, events: cents.map(old) })
      }),
    )
  })

  test('fails at the first event after which the states differ', () => {
    const events = [old(0), old(200), old(300)]
    const failure = failureOf(() =>
      upcastingCommutes({ legacy, current, chain: chainBy(10), versions, events }),
    )
    expect(failure.message).toBe(
      'upcasting does not commute with folding: after events[1] (Deposited):\n  value: expected 2, got 20',
    )
  })

  test('passes events without declared versions unchanged', () => {
    const plain: readonly Legacy[] = [deposited(1)]
    upcastingCommutes({ legacy: account, current: account, chain: chainBy(100), versions: {}, events: plain as readonly AccountEvent[] }) // prettier-ignore
  })
})

describe('differences', () => {
  test('are empty for a JSON value after a round trip', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const again: unknown = JSON.parse(JSON.stringify(value))
        expect(differences(again, JSON.parse(JSON.stringify(value)))).toEqual([])
      }),
    )
  })

  test('a field that is undefined counts as absent', () => {
    expect(differences({ a: undefined }, {})).toEqual([])
  })

  test.each([
    [1, 2, ['value: expected 1, got 2']],
    [null, {}, ['value: expected null, got {}']],
    [[], {}, ['value: expected [], got {}']],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, ['a[1].b: expected 2, got 3']],
    [{ a: 1 }, { b: 1 }, ['a: expected 1, got nothing', 'b: expected nothing, got 1']],
    [NaN, NaN, []],
    ['1', 1, ['value: expected "1", got 1']],
  ])('between %j and %j', (expected, actual, found) => expect(differences(expected, actual)).toEqual(found))

  test('are cut at ten', () => {
    const zeros = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`f${n}`, 0]))
    const views = defineProjection<Record<string, number>, AccountEvent>({
      name: 'wide',
      source: 'account',
      keyedBy: 'stream',
      initialView: {},
      on: { Deposited: () => zeros },
    })
    const { message } = failureOf(() =>
      givenEvents(views, recordEvents('account.1', [deposited(1)])).thenView('1', {}),
    )
    expect(message.split('\n')).toHaveLength(12)
    expect(message).toMatch(/ {2}… and 2 more$/)
  })
})
