import type { AppendedEvent } from '../history.ts'

/** The totals of a customer's purchases: the state of a stream, and its view. */
export interface Totals {
  readonly purchases: number
  readonly cds: number
  readonly spend: string
  readonly first: string | null
  readonly last: string | null
}

/** The totals of a month's purchases. */
export interface Month {
  readonly purchases: number
  readonly cds: number
  readonly revenue: string
}

interface Purchase {
  readonly date: string
  readonly cds: number
  readonly amount: string
}

const purchaseOf = ({ data }: Pick<AppendedEvent, 'data'>): Purchase => data as unknown as Purchase

/** Money as whole cents; the text has two decimals, as in the log. */
export function cents(amount: string): bigint {
  const [, sign = '', whole = '', part = ''] = /^(-?)(\d+)\.(\d\d)$/.exec(amount) ?? []
  if (whole === '') throw new Error(`${amount} is not an amount with two decimals`)
  return BigInt(`${sign}${whole}${part}`)
}

function money(amount: bigint): string {
  const digits = String(amount < 0n ? -amount : amount).padStart(3, '0')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** The state after none, one, two … of the events. */
export function totalsAfterEach(events: readonly Pick<AppendedEvent, 'data'>[]): readonly Totals[] {
  const after: Totals[] = [{ purchases: 0, cds: 0, spend: '0.00', first: null, last: null }]
  let spend = 0n
  let cds = 0
  const days: string[] = []
  for (const purchase of events.map(purchaseOf)) {
    spend += cents(purchase.amount)
    cds += purchase.cds
    const [first = purchase.date, last = purchase.date] = days
    days[0] = purchase.date < first ? purchase.date : first
    days[1] = purchase.date > last ? purchase.date : last
    after.push({ purchases: after.length, cds, spend: money(spend), first: days[0], last: days[1] })
  }
  return after
}

export const monthOf = (event: Pick<AppendedEvent, 'data'>): string => purchaseOf(event).date.slice(0, 7)

/** The totals of these events of one month. */
export function monthAfter(events: readonly Pick<AppendedEvent, 'data'>[]): Month {
  const purchases = events.map(purchaseOf)
  return {
    purchases: purchases.length,
    cds: purchases.reduce((sum, { cds }) => sum + cds, 0),
    revenue: money(purchases.reduce((sum, { amount }) => sum + cents(amount), 0n)),
  }
}
