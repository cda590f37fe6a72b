import { readFileSync } from 'node:fs'

import Big from 'big.js'
import { describe, expect, test } from 'vitest'

import { decide, project, type RecordedEvent } from '#domain'
import { given, givenEvents, recordEvents } from '#domain/testing'

import type { CustomerEvent } from '../../schemas/customer/events.generated.ts'
import type { MonthlyRevenue } from '../../schemas/monthly-revenue/events.generated.ts'
import { readCdnow } from './cdnow.ts'
import { customer } from './customer.ts'
import domain from './domain.ts'
import { customerLifetime, monthlyRevenue } from './projections.ts'
import type { Totals } from './totals.ts'

const made = (date: string, cds: number, amount: string): CustomerEvent => ({
  type: 'PurchaseMade',
  data: { date, cds, amount },
})

describe('a customer', () => {
  test('makes a purchase', () => {
    given(customer, [made('1997-01-12', 1, '12.00')])
      .when({ type: 'Purchase', data: { date: '1997-01-12', cds: 5, amount: '77.10' } })
      .then([made('1997-01-12', 5, '77.10')])
      .thenState({ purchases: 2, cds: 6, spend: '89.10', first: '1997-01-12', last: '1997-01-12' })
  })

  test('may get CDs for free', () => {
    given(customer, [])
      .when({ type: 'Purchase', data: { date: '1997-01-12', cds: 1, amount: '0.00' } })
      .then([made('1997-01-12', 1, '0.00')])
  })

  test.each([0, -1, 1.5])('cannot buy %s CDs', (cds) => {
    given(customer, [])
      .when({ type: 'Purchase', data: { date: '1997-01-12', cds, amount: '1.00' } })
      .thenRefused('no-cds')
  })

  test.each(['', '-1.00', '1.005', '1e3', 'NaN', '1,50'])('cannot pay %j', (amount) => {
    given(customer, [])
      .when({ type: 'Purchase', data: { date: '1997-01-12', cds: 1, amount } })
      .thenRefused('invalid-amount')
  })

  test('has a first and a last day also when purchases are out of order', () => {
    given(customer, [
      made('1997-02-01', 1, '1.00'),
      made('1997-01-01', 1, '1.00'),
      made('1997-01-15', 1, '1.00'),
    ]).thenState({ purchases: 3, cds: 3, spend: '3.00', first: '1997-01-01', last: '1997-02-01' })
  })

  test('spends exact sums: ten times 0.10 is 1.00', () => {
    const dimes = Array.from({ length: 10 }, () => made('1997-01-01', 1, '0.10'))
    given(customer, dimes).thenState({
      purchases: 10,
      cds: 10,
      spend: '1.00',
      first: '1997-01-01',
      last: '1997-01-01',
    })
  })
})

describe('the projections', () => {
  const events = [
    ...recordEvents('customer.00001', [made('1997-01-31', 1, '1.10'), made('1997-02-01', 2, '2.20')]),
    ...recordEvents('customer.00002', [made('1997-02-28', 3, '30.30')]),
  ]

  test('customer-lifetime adds up by customer, and sorts by spend and purchases', () => {
    givenEvents(customerLifetime, events)
      .thenViews({
        '00001': { purchases: 2, cds: 3, spend: '3.30', first: '1997-01-31', last: '1997-02-01' },
        '00002': { purchases: 1, cds: 3, spend: '30.30', first: '1997-02-28', last: '1997-02-28' },
      })
      .thenIndexes('00001', { spend: 3.3, purchases: 2 })
  })

  test('monthly-revenue adds up by month, across customers', () => {
    givenEvents(monthlyRevenue, events)
      .thenViews({
        '1997-01': { purchases: 1, cds: 1, revenue: '1.10' },
        '1997-02': { purchases: 2, cds: 5, revenue: '32.50' },
      })
      .thenIndexes('1997-02', { revenue: 32.5 })
  })

  test('are exported by the domain module, with the aggregate', () => {
    expect(domain.aggregates).toEqual([customer])
    expect(domain.projections).toEqual([customerLifetime, monthlyRevenue])
  })
})

describe('all of cdnow.txt', () => {
  const events = purchaseAll(readFileSync(new URL('cdnow.txt', import.meta.url), 'utf8'))
  const lifetimes = project(customerLifetime, new Map<string, Totals>(), events)
  const months = project(monthlyRevenue, new Map<string, MonthlyRevenue>(), events)

  test('matches the figures of the README by customer', () => {
    const views = [...lifetimes]
    expect(total(views, (view) => view.purchases)).toBe('69659')
    expect(views).toHaveLength(23_570)
    expect(total(views, (view) => view.cds)).toBe('167881')
    expect(total(views, (view) => view.spend)).toBe('2500315.63')
    expect(views.filter(([, { purchases }]) => purchases >= 10)).toHaveLength(1_154)
  })

  test('finds the top customer and the longest stream by the indexes', () => {
    const spend = { purchases: 201, cds: 917, spend: '13990.93', first: '1997-01-29', last: '1998-06-29' }
    expect(highestBy('spend')).toEqual(['07592', spend])
    const longest = highestBy('purchases')
    expect(longest[0]).toBe('14048')
    expect(longest[1]).toMatchObject({ purchases: 217, cds: 1_033, spend: '8976.33' })
  })

  test('matches the figures of the README by month', () => {
    const views = [...months]
    expect(views).toHaveLength(18)
    expect(total(views, (view) => view.purchases)).toBe('69659')
    expect(total(views, (view) => view.cds)).toBe('167881')
    expect(total(views, (view) => view.revenue)).toBe('2500315.63')
    const [busiest] = views.toSorted(([, a], [, b]) => b.purchases - a.purchases)
    expect(busiest).toEqual(['1997-03', { purchases: 11_598, cds: 26_159, revenue: '393155.27' }])
  })

  function highestBy(index: 'spend' | 'purchases'): readonly [string, Totals] {
    const figure = (view: Totals): number => customerLifetime.indexValues(view)[index] ?? 0
    return [...lifetimes].reduce((best, view) => (figure(view[1]) > figure(best[1]) ? view : best))
  }
})

/** Decides every line as a command of its customer, and records the events. */
function purchaseAll(text: string): readonly RecordedEvent<CustomerEvent>[] {
  const byCustomer = Map.groupBy(readCdnow(text), ({ customerId }) => customerId)
  return [...byCustomer].flatMap(([customerId, purchases]) => {
    const decided = purchases.flatMap(({ date, cds, amount }) =>
      decide(customer, customer.initialState, { type: 'Purchase', data: { date, cds, amount } }),
    )
    return recordEvents(`customer.${customerId}`, decided)
  })
}

const total = <View>(views: readonly [string, View][], figure: (view: View) => number | string): string =>
  views.reduce((sum, [, view]) => sum.plus(figure(view)), new Big(0)).toString()
