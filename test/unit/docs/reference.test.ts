import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { reference } from '../../../scripts/reference/reference.ts'

const folder = 'docs/reference'

test('docs/reference is up to date: npm run docs:reference', { timeout: 60_000 }, async () => {
  const pages = await reference()
  expect((await readdir(folder)).toSorted()).toEqual([...pages.keys()].toSorted())
  for (const [name, text] of pages) expect(await readFile(join(folder, name), 'utf8'), name).toBe(text)
})

test('the HTTP page has a section for every route with its parameters, body and responses', async () => {
  const page = await readFile(join(folder, 'http.md'), 'utf8')
  const append = /### `POST \/streams\/\{id\}\/events`\n([^]*?)\n### /.exec(page)?.[1]
  expect(append).toMatch(/`idempotency-key`\? +\| header/)
  expect(append).toMatch(/`events\[\]\.metadata\.correlationId`\? +\| string/)
  expect(append).toMatch(/\| 409 +\| `wrong-expected-version`/)
  expect(append).toMatch(/`position` +\| string +\| Position in the log/)
  expect(page).toContain('### `DELETE /projections/{name}/generations/{id}`')
})
