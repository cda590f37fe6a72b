import Table from 'cli-table3'

import type { Figures } from './known-figures.ts'

/**
 * A table of what Annals serves next to the figures from the file. They differ if other purchases were appended too.
 */
export function figuresTable(served: Figures, known: Figures, appendsPerSecond: number | undefined): string {
  const table = new Table({ head: ['', 'served', 'in the file', ''], style: { head: [], border: [] } })
  const add = (name: string, here: number | string, there: number | string) =>
    table.push([name, here, there, String(here) === String(there) ? 'equal' : 'differs'])
  add('events', served.events, known.events)
  add('streams (customers)', served.streams, known.streams)
  add('snapshots', served.snapshots, known.snapshots)
  for (const [index, [customerId, dollars]] of known.topCustomers.entries()) {
    add(
      `top customer ${index + 1}, dollars`,
      inText(served.topCustomers[index]),
      inText([customerId, dollars]),
    )
  }
  add('busiest month, dollars', inText(served.busiestMonth), inText(known.busiestMonth))
  if (appendsPerSecond !== undefined) table.push(['appends a second', appendsPerSecond, '', ''])
  return table.toString()
}

const inText = (pair: readonly [name: string, dollars: string] | undefined): string =>
  pair === undefined ? 'none' : `${pair[0]}: ${pair[1]}`
