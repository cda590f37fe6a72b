import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { createUpcasterChain, defineUpcaster, type Upcaster } from '#domain'

import { checkSchemas } from './check-schemas.ts'
import { releaseSchemas } from './release-schemas.ts'
import { type Sample, SchemaFolder } from './schema-folder.ts'
import { formatProblem } from './schema-problem.ts'
import { defaulted, record, schemaFiles, writeSchemaFiles } from './testing/schema-files.ts'

const upcaster = (upcast: (data: { who: string }) => unknown, fromVersion = 1): Upcaster =>
  defineUpcaster({ aggregateType: 'order', eventType: 'Placed', fromVersion, upcast })

/** All problems, one per line, without the folder. */
function check(folder: string, upcasters: readonly Upcaster[] = []): string[] {
  const problems = checkSchemas(new SchemaFolder(folder), createUpcasterChain(upcasters))
  return problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''))
}

function release(folder: string, upcasters: readonly Upcaster[] = []): readonly string[] {
  const schemas = new SchemaFolder(folder)
  const { released, problems } = releaseSchemas(schemas, createUpcasterChain(upcasters))
  expect(problems).toEqual([])
  schemas.writeTypes()
  return released.map((file) => file.replace(`${folder}/`, ''))
}

const v1 = { 'order/Placed.v1.avsc': record('order.Placed', { who: 'string' }) }
const breaking = { 'order/Placed.v2.avsc': record('order.v2.Placed', { customer: 'string' }) }

describe('compatible steps', () => {
  const remedy =
    'Only fields with a default may be added or removed. For any other change use a separate namespace'

  test.each([
    ['a field with a default is added', { who: 'string', note: defaulted('string', '') }],
    ['only a doc changes', { who: 'string' }],
  ])('%s', (_, fields) => {
    const folder = schemaFiles({ ...v1, 'order/Placed.v2.avsc': record('order.Placed', fields) })
    expect(check(folder).filter((line) => line.includes('cannot read'))).toEqual([])
  })

  test.each([
    [
      { who: 'string', note: 'string' },
      'field note: version 2 cannot read version 1: a version without this field cannot be read, because it has no default',
    ],
    [{}, 'field who: version 1 cannot read version 2: a version without this field cannot be read'],
    [{ who: 'bytes' }, 'field who: version 2 cannot read version 1: string became bytes'],
    [{ who: ['null', 'string'] }, 'field who: version 2 cannot read version 1: string became union'],
  ])('%j is incompatible', (fields, message) => {
    const folder = schemaFiles({ ...v1, 'order/Placed.v2.avsc': record('order.Placed', fields) })
    const problems = check(folder).join('\n')
    expect(problems).toContain(`order/Placed.v2.avsc, ${message}`)
    expect(problems).toContain(`${remedy}, e.g. order.v2, and an upcaster from version 1`)
  })

  test('every pair of versions is checked, not only adjacent ones', () => {
    const field = (type: unknown): object => record('order.Placed', { a: defaulted(type, 0) })
    const folder = schemaFiles({
      'order/Placed.v1.avsc': field('int'),
      'order/Placed.v2.avsc': record('order.Placed', {}),
      'order/Placed.v3.avsc': field('long'),
    })
    expect(check(folder).map((line) => line.split('. ')[0])).toEqual([
      'order/Placed.v3.avsc, field a: version 3 cannot read version 1: int became long',
      'order/Placed.v3.avsc, field a: version 1 cannot read version 3: long became int',
    ])
  })

  test('what only avsc rejects is reported too', () => {
    const aliased = record('order.Placed', {})
    const folder = schemaFiles({
      'order/Placed.v1.avsc': {
        ...aliased,
        fields: [
          { name: 'a', type: 'int', default: 0 },
          { name: 'b', type: 'int', default: 0 },
        ],
      },
      'order/Placed.v2.avsc': {
        ...aliased,
        fields: [{ name: 'c', aliases: ['a', 'b'], type: 'int', default: 0 }],
      },
    })
    expect(check(folder).join()).toContain('version 2 cannot read version 1: ambiguous aliasing')
  })

  test('an upcaster that would never run', () => {
    const folder = schemaFiles({
      ...v1,
      'order/Placed.v2.avsc': record('order.Placed', { who: 'string' }, { doc: '2' }),
    })
    expect(check(folder, [upcaster((data) => data)])[0]).toContain(
      'order/Placed.v2.avsc: the upcaster of order.Placed from version 1 never runs, because Avro itself reads version 1 as 2',
    )
  })
})

describe('breaking steps', () => {
  test('need an upcaster', () => {
    expect(check(schemaFiles({ ...v1, ...breaking }))).toEqual([
      "order/Placed.v2.avsc: its full name order.v2.Placed breaks with version 1 (order.Placed), and there is no upcaster of order.Placed from version 1. Add one to the domain module: defineUpcaster({ aggregateType: 'order', eventType: 'Placed', fromVersion: 1, upcast }).",
    ])
  })

  test('of a snapshot need none: the state version marks it as outdated', () => {
    const snapshot = { role: 'snapshot' }
    const folder = schemaFiles({
      'order/State.v1.avsc': record('order.State', { a: 'int' }, snapshot),
      'order/State.v2.avsc': record('order.v2.State', { b: 'int' }, snapshot),
    })
    expect(release(folder)).toHaveLength(2)
    expect(check(folder)).toEqual([])
  })

  test('are released with samples that run through the upcasters', () => {
    const folder = schemaFiles(v1)
    expect(check(folder)).toEqual([
      'order/Placed.v1.avsc: it is not released yet. Run `./annals schemas release`.',
      'order/events.generated.ts: it does not match the schemas. Run `./annals schemas types`.',
    ])
    expect(release(folder)).toEqual(['order/Placed.v1.avsc'])
    expect(release(folder)).toEqual([])
    expect(check(folder)).toEqual([])
    writeSchemaFiles(folder, breaking)
    const rename = upcaster(({ who }) => ({ customer: who }))
    expect(check(folder, [rename])[0]).toContain(
      'samples/order/Placed.v1.json: as the latest version it reads as {"customer":"who ✓"}',
    )
    expect(release(folder, [rename])).toEqual(['order/Placed.v2.avsc'])
    expect(check(folder, [rename])).toEqual([])
    const sample = new SchemaFolder(folder).catalog.all.map((schema) =>
      new SchemaFolder(folder).sample(schema),
    )
    expect(sample[0]).toMatchObject({ written: { who: 'who ✓' }, latest: { customer: 'who ✓' } })
  })

  test('an upcaster whose result does not fit the latest version', () => {
    const folder = schemaFiles(v1)
    release(folder)
    writeSchemaFiles(folder, breaking)
    expect(check(folder, [upcaster((data) => data)])[0]).toContain(
      'samples/order/Placed.v1.json: it cannot be read as the latest version: data.customer: missing',
    )
  })
})

describe('released schemas', () => {
  test('that changed are reported, unless only their formatting changed', () => {
    const folder = schemaFiles(v1)
    release(folder)
    writeSchemaFiles(folder, { 'order/Placed.v1.avsc': JSON.stringify(v1['order/Placed.v1.avsc'], null, 8) })
    expect(check(folder)).toEqual([])
    writeSchemaFiles(folder, {
      'order/Placed.v1.avsc': record('order.Placed', { who: 'string' }, { doc: 'new' }),
    })
    expect(check(folder)).toEqual([
      'order/Placed.v1.avsc: it has changed since it was released. Restore it, and put the change into a new version, Placed.v2.avsc.',
    ])
  })

  test('that are missing', () => {
    const folder = schemaFiles({ ...v1, 'order/Kept.v1.avsc': record('order.Kept', {}) })
    release(folder)
    rmSync(join(folder, 'order/Placed.v1.avsc'))
    expect(check(folder)).toEqual([
      'order/Placed.v1.avsc: it was released and is missing. Restore it: the log may contain events of it.',
    ])
  })

  test('without a sample, or with one that reads differently', () => {
    const folder = schemaFiles(v1)
    release(folder)
    const path = join(folder, 'samples/order/Placed.v1.json')
    const sample = JSON.parse(readFileSync(path, 'utf8')) as Sample
    writeSchemaFiles(folder, { 'samples/order/Placed.v1.json': { ...sample, written: { who: 'else' } } })
    expect(check(folder)[0]).toContain('samples/order/Placed.v1.json: its bytes read as {"who":"who ✓"}')
    writeSchemaFiles(folder, { 'samples/order/Placed.v1.json': '{' })
    expect(() => check(folder)).toThrow('samples/order/Placed.v1.json: not JSON')
    rmSync(path)
    expect(check(folder)).toEqual([
      'samples/order/Placed.v1.json: the sample of a released version is missing. Restore it.',
    ])
  })

  test('nothing is released while a schema is unsound', () => {
    const folder = new SchemaFolder(schemaFiles({ ...v1, ...breaking }))
    const { released, problems } = releaseSchemas(folder, createUpcasterChain([]))
    expect(released).toEqual([])
    expect(problems).toHaveLength(1)
    expect(folder.released()).toEqual({})
  })
})
