import { describe, expect, test } from 'vitest'

import { defineAggregate } from './aggregate.ts'
import { defineDomain } from './domain-module.ts'
import type { DomainEvent } from './event.ts'
import { defineProjection } from './projection.ts'
import { account, type AccountEvent } from './testing/account.ts'
import { defineUpcaster } from './upcaster.ts'

const balances = defineProjection<number, AccountEvent>({
  name: 'balances',
  source: 'account',
  keyedBy: 'stream',
  initialView: 0,
  on: { Deposited: (balance, { data }) => balance + data.amount },
})

const upcasterOf = (aggregateType: string, eventType: string) =>
  defineUpcaster<unknown, unknown>({ aggregateType, eventType, fromVersion: 1, upcast: (data) => data })

describe('a domain module', () => {
  test('contains its parts', () => {
    const upcaster = upcasterOf('account', 'Deposited')
    expect(defineDomain({ aggregates: [account], projections: [balances], upcasters: [upcaster] })).toEqual({
      aggregates: [account],
      projections: [balances],
      upcasters: [upcaster],
    })
    expect(defineDomain({})).toEqual({ aggregates: [], projections: [], upcasters: [] })
  })

  test('may project several aggregates with different events', () => {
    const vault = defineAggregate<number, DomainEvent<'Sealed', null>>({
      type: 'vault',
      initialState: 0,
      evolve: { Sealed: (count) => count + 1 },
    })
    const both = defineProjection<number, AccountEvent | DomainEvent<'Sealed', null>>({
      name: 'both',
      source: ['account', 'vault'],
      keyedBy: 'stream',
      key: ({ streamId }) => streamId,
      initialView: 0,
      on: { Deposited: (n) => n, Sealed: (n) => n },
    })
    expect(() => defineDomain({ aggregates: [account, vault], projections: [both] })).not.toThrow()
  })

  test.each([
    [{ aggregates: [account, account] }, 'two aggregates have the type account: expected each once'],
    [
      { aggregates: [account], projections: [balances, balances] },
      'two projections have the name balances: expected each once',
    ],
    [
      {
        aggregates: [account],
        upcasters: [upcasterOf('account', 'Deposited'), upcasterOf('account', 'Deposited')],
      },
      'two upcasters for account.Deposited from version 1 to 2: expected at most one',
    ],
    [
      { projections: [balances] },
      'projection balances refers to aggregate account, which is not in this module: it has none',
    ],
    [
      {
        aggregates: [account],
        projections: [
          defineProjection<number, DomainEvent<'Closed', null>>({
            ...balances,
            source: 'account',
            on: { Closed: (n) => n },
          }),
        ],
      },
      'projection balances refers to event Closed, which account does not have: expected one of Deposited, Withdrawn',
    ],
    [
      { aggregates: [account], upcasters: [upcasterOf('order', 'Placed')] },
      'upcaster of order.Placed from version 1 refers to aggregate order, which is not in this module: it has account',
    ],
    [
      { aggregates: [account], upcasters: [upcasterOf('account', 'Closed')] },
      'upcaster of account.Closed from version 1 refers to event Closed, which account does not have: expected one of Deposited, Withdrawn',
    ],
  ])('that is not consistent is rejected (%#)', (parts, message) => {
    expect(() => defineDomain(parts)).toThrow(expect.objectContaining({ name: 'InvalidInputError', message }))
  })
})
