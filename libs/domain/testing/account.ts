import fc from 'fast-check'

import { defineAggregate, type DomainCommand, type DomainEvent, refuse } from '../index.ts'

export type Deposited = DomainEvent<'Deposited', { readonly amount: number }>
export type Withdrawn = DomainEvent<'Withdrawn', { readonly amount: number }>
export type AccountEvent = Deposited | Withdrawn

type Deposit = DomainCommand<'Deposit', { readonly amount: number }>
type Withdraw = DomainCommand<'Withdraw', { readonly amount: number }>
/** Withdraws the whole balance in up to `notesMax` events; none when it is empty. */
type Close = DomainCommand<'Close', { readonly notesMax: number }>
export type AccountCommand = Deposit | Withdraw | Close

export interface AccountState {
  readonly balance: number
  /** Depends on the order of all entries, so different histories have different states. */
  readonly checksum: number
}

const entered = ({ balance, checksum }: AccountState, amount: number): AccountState => ({
  balance: balance + amount,
  checksum: (checksum * 31 + amount + 1_000) % 1_000_003,
})

/** The aggregate that the tests of this library use. */
export const account = defineAggregate<AccountState, AccountEvent, AccountCommand>({
  type: 'account',
  initialState: { balance: 0, checksum: 7 },
  evolve: {
    Deposited: (state, { data }) => entered(state, data.amount),
    Withdrawn: (state, { data }) => entered(state, -data.amount),
  },
  decide: {
    Deposit: ({ data }) => ({ type: 'Deposited', data }),
    Withdraw: ({ data }, { balance }) => {
      if (data.amount > balance) refuse('overdrawn', `${data.amount} of ${balance}`, { balance })
      return { type: 'Withdrawn', data }
    },
    Close: ({ data }, { balance }) => notes(balance, data.notesMax),
  },
  snapshot: { every: 5, stateVersion: 3, schema: 'AccountState' },
  invariants: { 'balance is below a million': ({ balance }) => balance < 1_000_000 },
})

/** Withdraws the whole balance in at most `notesMax` events. */
export const notes = (balance: number, notesMax: number): Withdrawn[] =>
  Array.from({ length: Math.min(balance, notesMax) }, (_, index) => ({
    type: 'Withdrawn',
    data: { amount: index === 0 ? balance - Math.min(balance, notesMax) + 1 : 1 },
  }))

export const deposited = (amount: number): Deposited => ({ type: 'Deposited', data: { amount } })
export const withdrawn = (amount: number): Withdrawn => ({ type: 'Withdrawn', data: { amount } })

const amount = fc.integer({ min: 1, max: 600 })

export const someEvents: fc.Arbitrary<readonly AccountEvent[]> = fc.array(
  fc.oneof(amount.map(deposited), amount.map(withdrawn)),
  { minLength: 1, maxLength: 40 },
)

export const someCommand: fc.Arbitrary<AccountCommand> = fc.oneof(
  amount.map((value): Deposit => ({ type: 'Deposit', data: { amount: value } })),
  amount.map((value): Withdraw => ({ type: 'Withdraw', data: { amount: value } })),
  fc.nat(4).map((notesMax): Close => ({ type: 'Close', data: { notesMax } })),
)
