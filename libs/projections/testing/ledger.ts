import { defineProjection, type DomainEvent, type ProjectionDefinition, type TopicPartition } from '#domain'

import type { FedDraft } from './in-memory-feed.ts'

type Entered = DomainEvent<'Entered', { readonly amount: number; readonly group: string }>
type Closed = DomainEvent<'Closed', object>
type LedgerEvent = Entered | Closed

export interface Balance {
  readonly events: number
  readonly balance: number
  /** Depends on the order of all entries. */
  readonly checksum: number
}

interface Total {
  readonly events: number
  readonly sum: number
}

export const ledger = (partition: number): TopicPartition => ({ topic: 'eventstore.account', partition })

export const ledgers = (count: number): readonly TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ledger(partition))

export const entered = (account: string, amount: number, group = 'all'): FedDraft => ({
  streamId: `account.${account}`,
  type: 'Entered',
  data: { amount, group },
})

export const closed = (account: string): FedDraft => ({
  streamId: `account.${account}`,
  type: 'Closed',
  data: {},
})

/** One view for each stream. Its content reveals every missing, doubled or reordered event. */
export const balances = (changed: Partial<ProjectionDefinition<Balance, LedgerEvent>> = {}) =>
  defineProjection<Balance, LedgerEvent>({
    name: 'balances',
    source: 'account',
    keyedBy: 'stream',
    initialView: { events: 0, balance: 0, checksum: 7 },
    on: {
      Entered: ({ events, balance, checksum }, { data: { amount } }) => ({
        events: events + 1,
        balance: balance + amount,
        checksum: (checksum * 31 + amount + 1_000) % 1_000_003,
      }),
      Closed: () => null,
    },
    indexes: { balance: ({ balance }) => balance },
    ...changed,
  })

/** Views over events of all partitions, in any order. */
export const totals = (changed: Partial<ProjectionDefinition<Total, LedgerEvent>> = {}) =>
  defineProjection<Total, LedgerEvent>({
    name: 'totals',
    source: 'account',
    keyedBy: 'across',
    key: ({ data }) => ('group' in data ? data.group : undefined),
    initialView: { events: 0, sum: 0 },
    on: { Entered: ({ events, sum }, { data: { amount } }) => ({ events: events + 1, sum: sum + amount }) },
    ...changed,
  })
