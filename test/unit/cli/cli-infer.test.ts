import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { beforeEach, expect, onTestFinished, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-infer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

const placed = (n: number, data: object) => JSON.stringify({ streamId: `parcel.${n}`, type: 'Placed', data })

const run = (...args: readonly string[]) =>
  cliHere({ ANNALS_SCHEMAS: join(folder, 'schemas'), ANNALS_DOMAIN: '' })(['schemas', 'infer', ...args])

function file(...lines: readonly string[]): string {
  const path = join(folder, 'events.ndjson')
  writeFileSync(path, lines.join('\n'))
  return path
}

const events = [
  placed(1, { on: '2024-05-31', weight: '1.250' }),
  placed(2, { on: '2024-06-01', weight: '12.000', note: null }),
  JSON.stringify({ streamId: 'order.1', type: 'Placed', data: {} }),
  '{"streamId":"parcel.3"}',
]

test('prints the proposals and the number of events, and writes nothing', async () => {
  const { exitCode, stdout } = await run(file(...events), '--type', 'parcel')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('Placed, from 2 events')
  expect(stdout).toMatch(/^on +date +2 +0 +0$/m)
  expect(stdout).toMatch(/^weight +decimal\(9, 3\) +2 +0 +0$/m)
  expect(stdout).toMatch(/^note +string, or null +0 +1 +1 +no value in any sample$/m)
  expect(stdout).toContain('lines of aggregate types other than parcel: 1')
  expect(stdout).toContain('lines that are not events: 1, the first is line 4: type is undefined')
  expect(stdout).toContain('Nothing was written: add --write')
  expect(existsSync(join(folder, 'schemas'))).toBe(false)
})

test('writes schemas that accept the events, and replaces no file', async () => {
  const path = file(...events)
  expect(await run(path, '--type', 'parcel', '--write')).toMatchObject({ exitCode: 0 })
  const schema = JSON.parse(readFileSync(join(folder, 'schemas/parcel/Placed.v1.avsc'), 'utf8')) as object
  expect(schema).toMatchObject({ type: 'record', name: 'Placed', namespace: 'parcel' })
  const check = cliHere({ ANNALS_SCHEMAS: join(folder, 'schemas'), ANNALS_DOMAIN: '' })
  const imported = await check(['import', file(...events.slice(0, 2)), '--dry-run', '--json'])
  expect(imported.json()).toMatchObject({ problems: [] })
  const again = await run(path, '--type', 'parcel', '--write')
  expect(again).toMatchObject({ exitCode: 2 })
  expect(again.stderr).toContain('already exists, and is not replaced')
})

test('a field that no schema can have is named; without a proposal the command fails', async () => {
  const odd = await run(file(placed(1, { constructor: 1, 'a b': 2 })), '--type', 'parcel')
  expect(odd).toMatchObject({ exitCode: 1 })
  expect(odd.stdout).toContain('Not a schema: ')
  const wide = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`sku${n}`, n]))
  const tooWide = await run(file(placed(1, wide)), '--type', 'parcel')
  expect(tooWide).toMatchObject({ exitCode: 1 })
  expect(tooWide.stdout).toContain('more than 1000 different fields')
  const within = await run(file(placed(1, { wide })), '--type', 'parcel')
  expect(within.stdout).toMatch(/^wide +map of int +1 /m)
  const none = await run(file(...events), '--type', 'parsel')
  expect(none).toMatchObject({ exitCode: 1 })
  expect(none.stdout).toContain('no event of parsel was found')
})
