import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { exitCodes } from './exit-code.ts'

test('docs/operations/cli.md has the same table of exit codes', () => {
  const page = readFileSync(new URL('../../docs/operations/cli.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [code, meaning])
  expect(rows).toEqual(Object.entries(exitCodes))
})
