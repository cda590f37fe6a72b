import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { createUpcasterChain } from '#domain'
import { eventCheckOf, loadCatalog } from '#schemas'

import { orderPlacedToV2 } from '../../../examples/orders/upcasters.ts'
import { withSchemas } from './check-events.ts'
import { LineProblem } from './imported-line.ts'
import { type EventFile, identified, readDrafts } from './read-events.ts'
import { latestVersions } from './schema-versions.ts'

const check = eventCheckOf(loadCatalog(['schemas']), createUpcasterChain([orderPlacedToV2]))

/** The events of lines, or their problems. */
async function eventsOf(lines: readonly string[], more: Partial<EventFile> = {}, schemas = true) {
  const folder = mkdtempSync(join(tmpdir(), 'annals-check-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'events.ndjson')
  writeFileSync(file, lines.join('\n'))
  const drafts = readDrafts({ file, source: 's', renamed: new Map(), ...more })
  return Array.fromAsync(identified(withSchemas(drafts, schemas ? check : undefined), 's'), (line) =>
    line instanceof LineProblem ? line : line.event,
  )
}
const idsOf = async (...lines: readonly object[]) =>
  (await eventsOf(lines.map((line) => JSON.stringify(line)))).map((event) => 'id' in event && event.id)

describe('a line without an id', () => {
  const at = '2024-05-31T09:30:00.000Z'
  const line = { streamId: 'order.1', type: 'OrderShipped', data: { shippedAt: at, carrier: null } }

  test('is the same event in every spelling', async () => {
    const [id] = await idsOf(line)
    const spellings = [
      { data: { carrier: null, shippedAt: at }, type: 'OrderShipped', streamId: 'order.1' },
      { ...line, data: { shippedAt: '2024-05-31T09:30:00Z', carrier: null } },
      { ...line, data: { shippedAt: at } },
    ]
    for (const spelling of spellings) expect(await idsOf(spelling)).toEqual([id])
    // Equal lines in one file are separate events.
    expect(new Set(await idsOf(line, ...spellings)).size).toBe(4)
  })
})

describe('a line with a schema version', () => {
  const data = { customer: 'c-1', placedAt: '2024-05-31T09:30:00Z' }
  const line = { streamId: 'order.1', type: 'OrderPlaced', data }
  const latest = { customerId: 'c-1', placedAt: '2024-05-31T09:30:00.000Z', currency: 'EUR' }
  const text = JSON.stringify(line)

  test('is upcast, whether the line, its type or the import sets the version', async () => {
    const [named] = await eventsOf([JSON.stringify({ ...line, schemaVersion: 1 })])
    expect(named).toMatchObject({ data: latest })
    const byType = { byType: new Map([['OrderPlaced', 1]]) }
    expect(await eventsOf([text], { schemaVersions: byType })).toEqual([named])
    expect(await eventsOf([text], { schemaVersions: { ...latestVersions, byDefault: 1 } })).toEqual([named])
  })

  test('is rejected without it, with an invalid one, and without schemas', async () => {
    expect(await eventsOf([text])).toMatchObject([{ path: 'data.customerId' }])
    const wrong = [0, '1x', 1.5, null, 7].map((schemaVersion) => JSON.stringify({ ...line, schemaVersion }))
    for (const each of await eventsOf(wrong)) expect(each).toMatchObject({ path: 'schemaVersion' })
    const [unchecked] = await eventsOf([JSON.stringify({ ...line, schemaVersion: 1 })], {}, false)
    expect(unchecked).toMatchObject({ path: 'schemaVersion' })
  })
})

test('an id prefix gives lines with the same ids other event ids', async () => {
  const id = '0198c0de-0000-7000-8000-000000000001'
  const data = { customer: 'c-1' }
  const line = JSON.stringify({ streamId: 'order.1', type: 'T', data, id })
  const ids = async (more: Partial<EventFile>) =>
    (await eventsOf([line], more, false)).map((event) => 'id' in event && event.id)
  expect(await ids({})).toEqual([id])
  expect(await ids({ idPrefix: 'a/' })).not.toEqual([id])
  expect(await ids({ idPrefix: 'a/' })).toEqual(await ids({ idPrefix: 'a/' }))
  expect(await ids({ idPrefix: 'a/' })).not.toEqual(await ids({ idPrefix: 'b/' }))
})
