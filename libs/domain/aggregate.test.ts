import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

import { type Aggregate, decide, defineAggregate, fold } from './aggregate.ts'
import { DomainError } from './domain-error.ts'
import type { DomainEvent } from './event.ts'
import { account, type AccountEvent, type AccountState, deposited, someEvents, withdrawn } from './testing/account.ts' // prettier-ignore

describe('folding', () => {
  test('no events returns the start state', () => {
    const from = { balance: 5, checksum: 1 }
    expect(fold(account, [])).toBe(account.initialState)
    expect(fold(account, [], from)).toBe(from)
  })

  test('a stream equals folding a snapshot and the events after it, at every version', () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const whole = fold(account, events)
        for (let cut = 0; cut <= events.length; cut++) {
          const snapshot = fold(account, events.slice(0, cut))
          expect(fold(account, events.slice(cut), snapshot)).toEqual(whole)
        }
      }),
    )
  })

  test.each(['Closed', 'constructor', 'toString', '__proto__'])('rejects an event of type %s', (type) => {
    const events = [deposited(1), { type, data: {} } as unknown as AccountEvent]
    expect(() => fold(account, events)).toThrow(
      expect.objectContaining({
        path: 'type',
        message: `aggregate account has no evolve for event type "${type}": it has Deposited, Withdrawn`,
      }),
    )
  })

  test('skips events of unknown types when the aggregate declares it', () => {
    const lenient = defineAggregate<number, DomainEvent<'Known', number>>({
      type: 'lenient',
      initialState: 0,
      evolve: { Known: (sum, { data }) => sum + data },
      onUnknownEvent: 'skip',
    })
    const events = [
      { type: 'Known', data: 2 },
      { type: 'New', data: 9 },
      { type: 'Known', data: 3 },
    ] as const
    expect(fold(lenient as Aggregate<number>, events)).toBe(5)
  })
})

describe('a decision', () => {
  const rich = { balance: 100, checksum: 1 }

  test('is one event, several or none', () => {
    expect(decide(account, rich, { type: 'Withdraw', data: { amount: 1 } })).toEqual([withdrawn(1)])
    expect(decide(account, rich, { type: 'Close', data: { notesMax: 3 } })).toEqual([
      withdrawn(98),
      withdrawn(1),
      withdrawn(1),
    ])
    expect(decide(account, rich, { type: 'Close', data: { notesMax: 0 } })).toEqual([])
  })

  test('may reject the command, with a code, a message and details', () => {
    expect(() => decide(account, rich, { type: 'Withdraw', data: { amount: 101 } })).toThrow(
      expect.objectContaining({
        name: 'DomainError',
        code: 'overdrawn',
        message: '101 of 100',
        details: { balance: 100 },
      }),
    )
  })

  test('that would break an invariant is rejected; one just within it is not', () => {
    const deposit = (amount: number) => ({ type: 'Deposit', data: { amount } }) as const
    expect(decide(account, rich, deposit(999_899))).toHaveLength(1)
    expect(() => decide(account, rich, deposit(999_900))).toThrow(
      new DomainError('invariant-broken', 'account would break the invariant "balance is below a million"', {
        invariant: 'balance is below a million',
      }),
    )
  })

  test('on history that breaks an invariant is possible when it restores it', () => {
    const broken = { balance: 1_500_000, checksum: 1 }
    expect(decide(account, broken, { type: 'Withdraw', data: { amount: 600_000 } })).toHaveLength(1)
  })

  test('on a command of unknown type is an error of the caller', () => {
    const command = { type: 'constructor', data: {} } as never
    expect(() => decide(account, rich, command)).toThrow(
      'aggregate account has no decide for command type "constructor": it has Deposit, Withdraw, Close',
    )
    const passive = defineAggregate<number, AccountEvent>({
      type: 'passive',
      initialState: 0,
      evolve: { Deposited: (n) => n, Withdrawn: (n) => n },
    })
    expect(() => decide(passive, 0, command)).toThrow(/it has none$/)
  })
})

describe('a definition', () => {
  const minimal = { type: 'counter', initialState: { count: 0 }, evolve: {} }

  test('has its event and command types and its snapshot policy', () => {
    expect(account).toMatchObject({
      type: 'account',
      eventTypes: ['Deposited', 'Withdrawn'],
      commandTypes: ['Deposit', 'Withdraw', 'Close'],
      snapshot: { every: 5, stateVersion: 3, schema: 'AccountState' },
    })
  })

  test('has a snapshot every 10 events and state version 1 by default', () => {
    expect(defineAggregate(minimal).snapshot).toEqual({ every: 10, stateVersion: 1 })
  })

  test('with a malformed type is rejected', () => {
    expect(() => defineAggregate({ ...minimal, type: 'Counter' })).toThrow(
      /^aggregate type "Counter" is malformed/,
    )
  })

  test.each([{ every: 0 }, { every: 1.5 }, { stateVersion: 0 }, { stateVersion: NaN }])(
    'with snapshot policy %j is rejected',
    (snapshot) => {
      const [name] = Object.keys(snapshot)
      expect(() => defineAggregate({ ...minimal, snapshot })).toThrow(
        expect.objectContaining({ path: `snapshot.${String(name)}` }),
      )
    },
  )

  test('freezes the initial state deeply, so no evolve can change it for all aggregates', () => {
    const { initialState } = defineAggregate<{ items: string[] }, DomainEvent<'Added', string>>({
      type: 'list',
      initialState: { items: [] },
      evolve: { Added: (state) => state },
    })
    expect(() => initialState.items.push('x')).toThrow(TypeError)
  })
})

describe('types', () => {
  test('are inferred in every handler', () => {
    defineAggregate<AccountState, AccountEvent>({
      type: 'account',
      initialState: { balance: 0, checksum: 0 },
      evolve: {
        Deposited: (state, event) => {
          expectTypeOf(state).toEqualTypeOf<AccountState>()
          expectTypeOf(event.data.amount).toEqualTypeOf<number>()
          expectTypeOf(event.type).toEqualTypeOf<'Deposited'>()
          return state
        },
        Withdrawn: (state) => state,
      },
    })
    expectTypeOf(fold(account, [])).toEqualTypeOf<AccountState>()
    expectTypeOf(account).toExtend<Aggregate>()
  })

  test('reject mistakes', () => {
    const initialState = { balance: 0, checksum: 0 }
    const evolve = {
      Deposited: (state: AccountState) => state,
      Withdrawn: (state: AccountState) => state,
    }
    // @ts-expect-error There is no event Depositd.
    const mistypedEvent = { ...evolve, Depositd: (state: AccountState) => state } satisfies typeof evolve
    expect(mistypedEvent).toBeDefined()
    defineAggregate<AccountState, AccountEvent>({
      type: 'account',
      initialState,
      // @ts-expect-error Withdrawn is missing.
      evolve: { Deposited: (state) => state },
    })
    defineAggregate<AccountState, AccountEvent>({
      type: 'account',
      initialState,
      // @ts-expect-error There is no event Depositd.
      evolve: { ...evolve, Depositd: (state: AccountState) => state },
    })
    defineAggregate<AccountState, AccountEvent>({
      type: 'account',
      initialState,
      // @ts-expect-error A balance is a number.
      evolve: { ...evolve, Deposited: (state, { data }) => ({ ...state, balance: `${data.amount}` }) },
    })
    // @ts-expect-error There is no command Rob.
    expect(() => decide(account, initialState, { type: 'Rob', data: { amount: 1 } })).toThrow()
    // @ts-expect-error An amount is a number.
    expect(decide(account, initialState, { type: 'Deposit', data: { amount: '1' } })).toHaveLength(1)
  })
})
