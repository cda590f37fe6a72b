import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { decide, fold } from './aggregate.ts'
import { AggregateRoot } from './aggregate-root.ts'
import { DomainError, refuse } from './domain-error.ts'
import { newAggregate } from './loaded-aggregate.ts'
import {
  account,
  type AccountCommand,
  type AccountEvent,
  type AccountState,
  deposited,
  notes,
  someCommand,
  withdrawn,
} from './testing/account.ts'
import { recordEvents } from './testing/index.ts'
import { parseVersion } from './version.ts'

class Account extends AggregateRoot<AccountState, AccountEvent> {
  constructor(loaded = newAggregate(account, '1')) {
    super(account, loaded)
  }

  deposit(amount: number): void {
    this.raise(deposited(amount))
  }

  withdraw(amount: number): void {
    const { balance } = this.state
    if (amount > balance) refuse('overdrawn', `${amount} of ${balance}`, { balance })
    this.raise(withdrawn(amount))
  }

  close(notesMax: number): void {
    this.raise(...notes(this.state.balance, notesMax))
  }

  handle({ type, data }: AccountCommand): void {
    if (type === 'Deposit') this.deposit(data.amount)
    else if (type === 'Withdraw') this.withdraw(data.amount)
    else this.close(data.notesMax)
  }
}

/** The refusal's code, or undefined. */
function refusalOf(run: () => void): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof DomainError) return error.code
    throw error
  }
}

describe('the class style', () => {
  test('produces the same events, states and refusals as the functions, for any commands', () => {
    fc.assert(
      fc.property(fc.array(someCommand, { maxLength: 30 }), (commands) => {
        const root = new Account()
        const events: AccountEvent[] = []
        for (const command of commands) {
          const byFunction = refusalOf(() => {
            events.push(...decide(account, fold(account, events), command))
          })
          expect(refusalOf(() => root.handle(command))).toBe(byFunction)
          expect(root.uncommittedEvents).toEqual(events)
          expect(root.state).toEqual(fold(account, events))
        }
        expect(root.version).toBe(0)
      }),
    )
  })

  test('starts from the loaded state', () => {
    const loaded = {
      ...newAggregate(account, '7'),
      version: parseVersion(4),
      state: { balance: 10, checksum: 3 },
    }
    const root = new Account(loaded)
    expect(root).toMatchObject({ streamId: 'account.7', version: 4, state: loaded.state })
    expect(root.uncommittedEvents).toEqual([])
  })

  test('applies recorded events only in sequence', () => {
    const root = new Account()
    const [first, second, third] = recordEvents('account.1', [deposited(1), deposited(2), deposited(4)])
    if (!first || !second || !third) throw new Error('three events were recorded')
    root.apply(first, second)
    expect(root).toMatchObject({ version: 2, state: { balance: 3 } })
    expect(root.uncommittedEvents).toEqual([])
    expect(() => root.apply(second)).toThrow(/has version 2, expected 3$/)
    root.apply(third)
    expect(root).toMatchObject({ version: 3, state: { balance: 7 } })
  })

  test('refuses to apply events while there are uncommitted ones', () => {
    const root = new Account()
    root.deposit(1)
    expect(() => root.apply(...recordEvents('account.1', [deposited(1)]))).toThrow(
      'account.1 has 1 uncommitted events: save them before applying others',
    )
  })

  test('has the version of the store’s answer after its events are committed', () => {
    const root = new Account()
    root.deposit(5)
    root.close(2)
    expect(root.uncommittedEvents).toHaveLength(3)
    root.committed({ lastVersion: parseVersion(3) })
    expect(root).toMatchObject({ version: 3, uncommittedEvents: [], state: { balance: 0 } })
  })

  test('raises none of the events when an invariant would break', () => {
    const root = new Account()
    root.deposit(999_999)
    const { state } = root
    expect(refusalOf(() => root.deposit(1))).toBe('invariant-broken')
    expect(root.state).toBe(state)
    expect(root.uncommittedEvents).toEqual([deposited(999_999)])
  })
})
