import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import type { StackError } from '../stack/index.ts'
import { preflight } from './preflight.ts'

const example = { ANNALS_DOMAIN: 'examples/customers/domain.ts', ANNALS_SCHEMAS: 'schemas' }

function module(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-preflight-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'domain.ts')
  writeFileSync(file, text.replaceAll("'#domain'", `'${resolve('libs/domain/index.ts')}'`))
  return file
}

test('the examples may start', async () => {
  const reports: string[] = []
  await preflight(example, (line) => reports.push(line))
  expect(reports).toEqual([])
})

const mistyped = ['ANNALS', 'KAFKA', 'PARTITION'].join('_')
const race = `import { defineAggregate, defineDomain } from '#domain'
export default defineDomain({ aggregates: [defineAggregate({ type: 'race', initialState: 0, evolve: { Driven: () => 0 } })] })`
const misspelt = `import { defineDomain, defineProjection } from '#domain'
const views = { name: 'v', source: 'customer', keyedBy: 'streams', initialView: 0, on: {} }
export default defineDomain({ projections: [defineProjection(views as never)] })`

test.each([
  [
    'a forgotten ANNALS_SCHEMAS',
    () => ({ ...example, ANNALS_DOMAIN: module(race) }),
    /aggregate race has no event schemas/,
  ],
  [
    'a missing folder',
    () => ({ ...example, ANNALS_SCHEMAS: 'schemata' }),
    /schema folder schemata does not exist/,
  ],
  [
    'an unknown keyedBy',
    () => ({ ...example, ANNALS_DOMAIN: module(misspelt) }),
    /has keyedBy "streams": expected "stream" or "across"/,
  ],
  ['a mistyped setting', () => ({ ...example, [mistyped]: '4' }), /did you mean ANNALS_KAFKA_PARTITIONS\?/],
  ['access control without a secret', () => ({ ...example, ANNALS_ACCESS: 'topic' }), /ANNALS_PEER_SECRET/],
])('%s aborts a start before any server runs', async (_, env, message) => {
  const start = preflight(env(), () => undefined)
  await expect(start).rejects.toThrow(message)
  await expect(start).rejects.toMatchObject({ exitCode: 2 } satisfies Partial<StackError>)
})
