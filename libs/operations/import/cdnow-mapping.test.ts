import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { readCdnow } from '../../../examples/customers/cdnow.ts'
import { readMapping } from './mapping.ts'
import { readDrafts } from './read-events.ts'

test("the example's mapping says what its own reader reads, line for line", async () => {
  const file = 'examples/customers/cdnow.txt'
  const mapping = await readMapping('examples/customers/cdnow.mapping.json')
  const lines = await Array.fromAsync(readDrafts({ file, mapping, source: file, renamed: new Map() }))
  const purchases = [...readCdnow(readFileSync(file, 'utf8'))]
  expect(lines).toEqual(
    purchases.map(({ customerId, ...data }, index) => ({
      ...{ line: index + 2, streamId: `customer.${customerId}` },
      ...{ type: 'PurchaseMade', data },
    })),
  )
})
