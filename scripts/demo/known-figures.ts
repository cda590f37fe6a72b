import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import Big from 'big.js'

import { type CdnowPurchase, readCdnow } from '../../examples/customers/cdnow.ts'
import { repository } from '../stack/index.ts'

/** The figures that the demo must produce. */
export interface Figures {
  readonly events: number
  readonly streams: number
  /** Each customer with at least ten purchases has one. */
  readonly snapshots: number
  /** By spend: customer id and dollars. */
  readonly topCustomers: readonly (readonly [customerId: string, dollars: string])[]
  readonly busiestMonth: readonly [month: string, dollars: string]
}

const snapshotEvery = 10
const topCount = 5

/** The figures computed directly from the file by plain sums. */
export function knownFigures(): Figures {
  const text = readFileSync(join(repository, 'examples', 'customers', 'cdnow.txt'), 'utf8')
  const purchases = [...readCdnow(text)]
  const byCustomer = Map.groupBy(purchases, ({ customerId }) => customerId)
  const byMonth = Map.groupBy(purchases, ({ date }) => date.slice(0, 'YYYY-MM'.length))
  const sold = [...byMonth].map(([month, own]) => [month, sum(own)] as const)
  const spent = [...byCustomer].map(([customerId, own]) => [customerId, sum(own)] as const)
  return {
    events: purchases.length,
    streams: byCustomer.size,
    snapshots: [...byCustomer.values()].filter((own) => own.length >= snapshotEvery).length,
    topCustomers: spent.toSorted(byDollars).slice(0, topCount).map(inText),
    busiestMonth: inText(sold.toSorted(byDollars)[0] ?? ['', new Big(0)]),
  }
}

type Sum = readonly [string, Big]

const sum = (purchases: readonly CdnowPurchase[]): Big =>
  purchases.reduce((total, { amount }) => total.plus(amount), new Big(0))

const byDollars = ([, a]: Sum, [, b]: Sum): number => b.cmp(a)

const inText = ([name, dollars]: Sum): readonly [string, string] => [name, dollars.toFixed(2)]
