import { expect, test } from 'vitest'

import { createUpcasterChain } from '#domain'

import { checkSchemas } from './check-schemas.ts'
import { EventCodec } from './event-codec.ts'
import { generateTypes } from './generate-types.ts'
import { jsonViewSchema } from './json-view-schema.ts'
import { pushSchemas } from './push-schemas.ts'
import { releaseSchemas } from './release-schemas.ts'
import { loadCatalog, SchemaCatalog } from './schema-catalog.ts'
import { SchemaFolder } from './schema-folder.ts'
import { SchemaRegistry } from './schema-registry.ts'
import { FakeRegistry } from './testing/fake-registry.ts'
import { record, schemaFiles } from './testing/schema-files.ts'

const view = { role: 'view' }
const noUpcasters = createUpcasterChain([])
const v1 = { 'top-ten/Rank.v1.avsc': record('top_ten.Rank', { place: 'int' }, view) }
const breaking = { 'top-ten/Rank.v2.avsc': record('top_ten.v2.Rank', { rank: 'int' }, view) }

async function codecOf(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<EventCodec> {
  await pushSchemas(catalog, registry)
  const codec = new EventCodec({ catalog, registry, upcasters: noUpcasters })
  await codec.prepare()
  return codec
}

const freshRegistry = async (): Promise<SchemaRegistry> =>
  new SchemaRegistry({ url: (await FakeRegistry.start()).url })

test('a view’s schema is registered under the topic of its projection', () => {
  const schema = loadCatalog([schemaFiles(v1)]).latest('top-ten', 'Rank')
  expect(schema).toMatchObject({ role: 'view', subject: 'projections.top-ten-top_ten.Rank' })
})

test('a view survives encoding and decoding, and a field that does not fit is named', async () => {
  const codec = await codecOf(await freshRegistry(), loadCatalog([schemaFiles(v1)]))
  const bytes = codec.encode('top-ten', 'Rank', { place: 3 }, 'view')
  expect(codec.decode(bytes)).toEqual({ aggregateType: 'top-ten', eventType: 'Rank', data: { place: 3 } })
  expect(() => codec.encode('top-ten', 'Rank', { place: '3' }, 'view')).toThrow(
    'view.place: expected a whole number',
  )
})

test('a view from before a breaking step is distinguished from damage', async () => {
  const registry = await freshRegistry()
  const before = await codecOf(registry, loadCatalog([schemaFiles(v1)]))
  const after = await codecOf(registry, loadCatalog([schemaFiles({ ...v1, ...breaking })]))
  const old = before.encode('top-ten', 'Rank', { place: 3 }, 'view')
  await after.learn([old.readUInt32BE(1)])
  expect(() => after.decode(old)).toThrow(
    expect.objectContaining({
      code: 'superseded',
      message: 'this view is of top_ten.Rank, version 1, which version 2 breaks with: it must be rebuilt',
    }),
  )
})

test('views are released like events, need no upcasters, and get types without a union', () => {
  const folder = new SchemaFolder(schemaFiles({ ...v1, ...breaking }))
  expect(releaseSchemas(folder, noUpcasters)).toMatchObject({ problems: [], released: [{}, {}] })
  folder.writeTypes()
  expect(checkSchemas(folder, noUpcasters)).toEqual([])
  const types = generateTypes(folder.catalog, 'top-ten')
  expect(types).toContain('export interface RankV1 {\n  readonly place: number\n}')
  expect(types).toContain('export interface Rank {\n  readonly rank: number\n}')
  expect(types).not.toContain('export type')
})

test('a projection without a schema has the built-in one, next to those of files', async () => {
  const catalog = new SchemaCatalog([...loadCatalog([schemaFiles(v1)]).all, jsonViewSchema('by-hour')])
  expect(catalog.latest('by-hour', 'View')).toMatchObject({
    fullName: 'projections.by_hour.View',
    subject: 'projections.by-hour-projections.by_hour.View',
  })
  const codec = await codecOf(await freshRegistry(), catalog)
  const view = { json: '{"count":1}' }
  expect(codec.decode(codec.encode('by-hour', 'View', view, 'view')).data).toEqual(view)
})
