import { readFileSync } from 'node:fs'

import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'

import { rightsReference } from '../../../services/cli/reach/rights-page.ts'

test('docs/operations/rights.md is current (npm run docs:rights writes it)', async () => {
  const filepath = 'docs/operations/rights.md'
  const expected = await format(rightsReference(), { ...(await resolveConfig(filepath)), filepath })
  expect(readFileSync(filepath, 'utf8')).toBe(expected)
})
