import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

import type { RecordedEvent } from './event.ts'
import { defineProjection, project, type ProjectionDefinition } from './projection.ts'
import { deposited, someEvents, withdrawn, type AccountEvent } from './testing/account.ts'
import { recordEvents } from './testing/index.ts'

type Balance = { readonly balance: number; readonly last: number }

const named = { name: 'balances', source: 'account', keyedBy: 'stream' } as const
const definition: ProjectionDefinition<Balance, AccountEvent> = {
  ...named,
  initialView: { balance: 0, last: 0 },
  on: {
    Deposited: (view, { data, version }) => ({ balance: view.balance + data.amount, last: version }),
    Withdrawn: (view, { data, version }) => {
      const balance = view.balance - data.amount
      return balance === 0 ? null : { balance, last: version }
    },
  },
}
const balances = defineProjection(definition)
const none = new Map<string, Balance>()
const other = (type: string) => recordEvents('account.1', [{ type, data: {} } as unknown as AccountEvent])

describe('projecting', () => {
  test('folds each stream into its view, and passes the recorded event', () => {
    const events = [
      ...recordEvents('account.1', [deposited(5), deposited(1)]),
      ...recordEvents('account.a.b', [deposited(7)]),
    ]
    expect(Object.fromEntries(project(balances, none, events))).toEqual({
      '1': { balance: 6, last: 2 },
      'a.b': { balance: 7, last: 1 },
    })
  })

  test('continues from given views without changing them', () => {
    const views = new Map([['1', { balance: 10, last: 9 }]])
    expect(project(balances, views, recordEvents('account.1', [deposited(1)])).get('1')?.balance).toBe(11)
    expect(views.get('1')).toEqual({ balance: 10, last: 9 })
  })

  test('deletes a view for null, and starts again with the next event', () => {
    const emptied = project(balances, none, recordEvents('account.1', [deposited(5), withdrawn(5)]))
    expect(emptied.has('1')).toBe(false)
    const again = project(balances, emptied, recordEvents('account.1', [deposited(3)]))
    expect(again.get('1')).toEqual({ balance: 3, last: 1 })
  })

  test('in two runs, split anywhere, equals one run', () => {
    fc.assert(
      fc.property(someEvents, fc.nat(40), (plain, cut) => {
        const events = recordEvents('account.1', plain)
        const first = project(balances, none, events.slice(0, cut))
        expect(project(balances, first, events.slice(cut))).toEqual(project(balances, none, events))
      }),
    )
  })

  test('ignores other sources, and types without a reducer', () => {
    const events = [...recordEvents('order.1', [deposited(5)]), ...other('Closed'), ...other('constructor')]
    expect(project(balances, none, events).size).toBe(0)
    expect(balances.handles('Deposited')).toBe(true)
    expect(balances.handles('Closed')).toBe(false)
    expect(balances.handles('constructor')).toBe(false)
  })

  test('passes events of unknown types to the declared fallback', () => {
    const counting = defineProjection<{ unknown: string[] }, AccountEvent>({
      ...named,
      initialView: { unknown: [] },
      on: { Deposited: (view) => view },
      onUnknown: (view, { type }) => ({ unknown: [...view.unknown, type] }),
    })
    expect(counting.handles('Closed')).toBe(true)
    const views = project(counting, new Map<string, { unknown: string[] }>(), [
      ...recordEvents('account.1', [deposited(1), withdrawn(1)]),
      ...other('Closed'),
    ])
    expect(views.get('1')).toEqual({ unknown: ['Withdrawn', 'Closed'] })
  })

  test('with a key function combines streams, and ignores events without a key', () => {
    const bySize = defineProjection<number, AccountEvent>({
      name: 'by-size',
      source: ['account', 'vault'],
      keyedBy: 'across',
      key: ({ data }) => (data.amount === 0 ? undefined : data.amount < 10 ? 'small' : 'large'),
      initialView: 0,
      on: { Deposited: (count) => count + 1 },
    })
    const events = [
      ...recordEvents('account.1', [deposited(5), deposited(50), deposited(0)]),
      ...recordEvents('vault.1', [deposited(6)]),
    ]
    expect([...project(bySize, new Map<string, number>(), events)]).toEqual([
      ['small', 2],
      ['large', 1],
    ])
  })

  test('applying an event without a reducer keeps the view', () => {
    const [closed] = other('Closed')
    if (closed === undefined) throw new Error('one event was recorded')
    expect(balances.apply({ balance: 1, last: 1 }, closed)).toEqual({ balance: 1, last: 1 })
  })
})

describe('a definition', () => {
  test('has defaults', () => {
    expect(balances).toMatchObject({
      sources: ['account'],
      eventTypes: ['Deposited', 'Withdrawn'],
      indexNames: [],
      onError: 'stop',
      viewVersion: 1,
    })
    expect('ttlMs' in balances).toBe(false)
  })

  test('keeps the declared options', () => {
    const declared = defineProjection<Balance, AccountEvent>({
      ...definition,
      source: ['account', 'vault'],
      key: ({ streamId }) => streamId,
      indexes: { balance: (view) => view.balance },
      ttlMs: 60_000,
      onError: 'dead-letter',
      viewVersion: 2,
    })
    expect(declared).toMatchObject({
      sources: ['account', 'vault'],
      indexNames: ['balance'],
      ttlMs: 60_000,
      onError: 'dead-letter',
      viewVersion: 2,
    })
    expect(declared.indexValues({ balance: 7, last: 1 })).toEqual({ balance: 7 })
  })

  test.each([
    [{ name: 'Balances' }, 'projection name "Balances" is malformed'],
    [{ name: 'a.b' }, 'projection name "a.b" is malformed'],
    [{ name: 'b'.repeat(101) }, 'is malformed'],
    [{ source: [] }, 'projection balances has no source'],
    [{ source: 'Account' }, 'aggregate type "Account" is malformed'],
    [
      { keyedBy: 'streams' as never },
      'projection balances has keyedBy "streams": expected "stream" or "across"',
    ],
    [{ keyedBy: 'across' }, 'projection balances has no key'],
    [{ source: ['account', 'vault'] }, 'projection balances has no key'],
    [{ ttlMs: 0 }, 'projection balances has ttlMs 0: expected a whole number from 1'],
    [{ viewVersion: 0.5 }, 'projection balances has viewVersion 0.5'],
  ] as const)('with %j is refused', (wrong, message) => {
    expect(() => defineProjection({ ...definition, ...wrong })).toThrow(message)
  })

  test.each([NaN, Infinity])('with an index value of %d is rejected when it occurs', (value) => {
    const sorted = defineProjection({ ...definition, indexes: { rank: () => value } })
    expect(() => sorted.indexValues({ balance: 0, last: 0 })).toThrow(
      `projection balances has ${value} for its index rank: expected a finite number`,
    )
  })

  test('with an index of text quotes it: no control character reaches a terminal', () => {
    const sorted = defineProjection({ ...definition, indexes: { rank: () => '\u001b[2J\u009b' as never } })
    expect(() => sorted.indexValues({ balance: 0, last: 0 })).toThrow(
      String.raw`projection balances has "\u001b[2J\u009b" for its index rank: expected a finite number`,
    )
  })
})

test('types are inferred in reducers and key, and reject mistakes', () => {
  defineProjection<number, AccountEvent>({
    ...named,
    initialView: 0,
    key: (event) => {
      expectTypeOf(event).toEqualTypeOf<RecordedEvent<AccountEvent>>()
      return event.streamId
    },
    on: {
      Deposited: (view, event) => {
        expectTypeOf(view).toEqualTypeOf<number>()
        expectTypeOf(event.data).toEqualTypeOf<{ readonly amount: number }>()
        return view
      },
    },
    onUnknown: (view, event) => {
      expectTypeOf(event).toEqualTypeOf<RecordedEvent>()
      return view
    },
  })
  defineProjection<Balance, AccountEvent>({
    ...definition,
    // @ts-expect-error There is no event Depositd.
    on: { Depositd: (view: Balance) => view },
  })
  defineProjection<Balance, AccountEvent>({
    ...definition,
    // @ts-expect-error A balance is a number.
    on: { Deposited: (view) => ({ ...view, balance: 'much' }) },
  })
})
