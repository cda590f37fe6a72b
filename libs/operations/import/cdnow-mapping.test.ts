import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { readCdnow } from '../../../examples/customers/cdnow.ts'
import { readMapping } from './mapping.ts'
import { readDrafts } from './read-events.ts'

test('the mapping of the example gives the same events as the reader of the example, line by line', async () => {
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
