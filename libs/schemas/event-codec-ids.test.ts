import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { SchemaCatalog } from './schema-catalog.ts'
import { SchemaRegistry } from './schema-registry.ts'
import { failureOf, prepared, setUp, upTo } from './testing/codec-fixture.ts'
import { defaulted, record, schemaFiles } from './testing/schema-files.ts'

describe('while the registry is down', () => {
  test('known ids still work, and after a restart those in the file', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'cache', 'ids.json')
    const foreign = fake.add(
      'x',
      JSON.stringify(
        record('order.v3.Placed', { customer: 'string', note: 'string', more: defaulted('int', 1) }),
      ),
    )
    const codec = await prepared(codecWith({ idFile }))
    const bytes = codec.encode('order', 'Placed', { customer: 'Ada', note: 'x' })
    await codec.learn([foreign])
    await fake.stop()

    expect((await codec.decodeMany([bytes]))[0]?.data).toMatchObject({ customer: 'Ada' })
    await expect(codec.learn([99])).rejects.toMatchObject({ code: 'registry-unreachable' })

    const restarted = codecWith({ idFile })
    const { missing, unreachable } = await restarted.prepare()
    expect(missing).toEqual([])
    expect(unreachable?.code).toBe('registry-unreachable')
    expect(
      restarted.decode(restarted.encode('order', 'Placed', { customer: 'Bo', note: '' })).data,
    ).toMatchObject({
      customer: 'Bo',
    })
    expect(restarted.knows(Buffer.from([0, 0, 0, 0, foreign]))).toBe(true)

    const without = codecWith({ catalog: upTo(catalog, 3) })
    await expect(without.prepare()).rejects.toMatchObject({ code: 'registry-unreachable' })
  })

  test('a new schema gets a clear error, the others still work', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'ids.json')
    await codecWith({ idFile, catalog: upTo(catalog, 3) }).prepare()
    await fake.stop()
    const codec = codecWith({ idFile })
    expect((await codec.prepare()).missing).toEqual([catalog.latest('order', 'Placed')?.file])
    expect(failureOf(() => codec.encode('order', 'Placed', {})).code).toBe('not-registered')
    expect(codec.encode('order', 'OrderState', { open: true }, 'snapshot')).toHaveLength(6)
  })

  test('ids of another registry are not used', async () => {
    const { fake, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'ids.json')
    await prepared(codecWith({ idFile }))
    await fake.stop()
    const moved = new SchemaRegistry({ url: fake.url.replace('127.0.0.1', 'localhost'), retries: 0 })
    await expect(codecWith({ idFile, registry: moved }).prepare()).rejects.toMatchObject({
      code: 'registry-unreachable',
    })
  })
})

describe('the id file', () => {
  test('is extended by several processes', async () => {
    const { fake, catalog, codecWith } = await setUp()
    const idFile = join(schemaFiles({}), 'ids.json')
    await codecWith({ idFile, catalog: upTo(catalog, 1) }).prepare()
    const one = codecWith({ idFile, catalog: new SchemaCatalog(catalog.versions('order', 'Placed')) })
    await one.prepare()
    const content = JSON.parse(readFileSync(idFile, 'utf8')) as { registry: string; schemas: object }
    expect(content.registry).toBe(fake.url)
    expect(Object.keys(content.schemas)).toHaveLength(6)
  })

  test('is replaced when it is damaged', async () => {
    const { codecWith } = await setUp()
    const idFile = join(schemaFiles({ 'ids.json': '{"regis' }), 'ids.json')
    await prepared(codecWith({ idFile }))
    expect(readFileSync(idFile, 'utf8')).toContain('"schemas"')
  })

  test('that cannot be written is named', async () => {
    const { codecWith } = await setUp()
    const idFile = join(schemaFiles({ file: 'x' }), 'file', 'ids.json')
    await expect(codecWith({ idFile }).prepare()).rejects.toMatchObject({ code: 'cache-unusable' })
  })
})

test('a rejection by the registry during the lookup of ids does not count as unreachable', async () => {
  const { fake, codecWith } = await setUp()
  fake.planned.push({ status: 401, body: { message: 'no' } })
  await expect(codecWith().prepare()).rejects.toMatchObject({ code: 'registry-refused' })
})
