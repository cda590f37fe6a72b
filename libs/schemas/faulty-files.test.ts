import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { loadCatalog } from './schema-catalog.ts'

/** The error from loading a folder with this one schema. */
function errorOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-faulty-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  mkdirSync(join(folder, 'race'))
  writeFileSync(join(folder, 'race', 'Driven.v1.avsc'), text)
  try {
    loadCatalog([folder])
    return 'sound'
  } catch (error) {
    return (error as Error).message.slice(folder.length + 1)
  }
}

const schema = (field: string) => `{
  "type": "record",
  "name": "Driven",
  "namespace": "race",
  "fields": [
    { "name": "at", "type": "long" },
    ${field}
  ]
}`

test.each([
  [schema('{ "name": "lap", "type": "int" }'), /^sound$/],
  [schema('{ "name": "lap" "type": "int" }'), /^race\/Driven\.v1\.avsc: not JSON: from line 7 on: /],
  [schema('{ "name": "lap", "type": }'), /not JSON: from line 7 on: /],
  [schema('{ "name": "lap", "type": "int" },'), /not JSON: from line 8 on: /],
  [schema('').slice(0, 60), /not JSON: from line [45] on: /],
  [
    schema('{ "name": "lap-time", "type": "int" }'),
    /Driven\.v1\.avsc: .*field has the name "lap-time" \(line 7/,
  ],
  [
    schema('{ "name": "lap", "type": { "type": "enum", "name": "Lap", "symbols": ["first one"] } }'),
    /enum symbol has the name "first one"/,
  ],
  [
    schema('{ "name": "lap", "type": { "type": "int", "logicalType": "dat" } }'),
    /logical type dat is not supported: .*\(line 7, in lap\)$/,
  ],
  [
    schema('{ "name": "lap", "type": { "type": "string", "logicalType": "date" } }'),
    /logical type date cannot be carried by string: expected int \(line 7, in lap\)$/,
  ],
  [
    schema('{ "name": "lap", "type": "itn" }'),
    /Driven\.v1\.avsc: not a sound Avro schema: .*itn.*\(line 7, in lap\)/,
  ],
])('%s: %s', (text, message) => {
  expect(errorOf(text)).toMatch(message)
})
