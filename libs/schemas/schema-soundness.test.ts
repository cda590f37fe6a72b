import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { createUpcasterChain } from '#domain'

import { checkSchemas } from './check-schemas.ts'
import { RecordCodec } from './record-codec.ts'
import { releaseSchemas } from './release-schemas.ts'
import { loadCatalog } from './schema-catalog.ts'
import { SchemaError } from './schema-error.ts'
import { SchemaFolder } from './schema-folder.ts'
import { defaultCases } from './testing/default-cases.ts'
import { schemaFiles } from './testing/schema-files.ts'

type Fields = readonly object[]

const schemaWith = (fields: Fields, name = 'Placed'): object => ({
  type: 'record',
  name,
  namespace: 'order',
  fields,
})

/** The error from loading the schema, or an empty text. */
function verdict(fields: Fields): string {
  try {
    loadCatalog([schemaFiles({ 'order/Placed.v1.avsc': schemaWith(fields) })])
  } catch (error) {
    if (error instanceof SchemaError && error.code === 'malformed-schema') return error.message
    throw error
  }
  return 'sound'
}

function codecOf(fields: Fields, name = 'Placed'): RecordCodec {
  const folder = schemaFiles({ [`order/${name}.v1.avsc`]: schemaWith(fields, name) })
  const schema = loadCatalog([folder]).latest('order', name)
  if (schema === undefined) throw new Error('the schema was not read')
  return new RecordCodec(schema)
}

const back = (codec: RecordCodec, data: unknown): unknown =>
  codec.readerOf(codec.schema.type)(codec.encode(1, data))

const membersOfObjects = Object.getOwnPropertyNames(Object.prototype)
const namesOfAvro = [
  ...['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'],
  ...['record', 'enum', 'array', 'map', 'union', 'fixed', 'error', 'request', 'logical', 'abstract'],
]
const namesOfCode = [
  'prototype',
  'arguments',
  'class',
  'function',
  'this',
  'type',
  'fields',
  'name',
  'length',
]
const named = (name: string, value: unknown): object =>
  JSON.parse(`{"${name}":${JSON.stringify(value)}}`) as object

describe('a name that all objects have as a member', () => {
  test.each(membersOfObjects)('%s, is not allowed for a field, an alias or a symbol', (name) => {
    const inner = { type: 'record', name: 'Inner', fields: [{ name, type: 'int' }] }
    const field = `a field cannot be named ${name}`
    for (const type of [
      inner,
      ['null', inner],
      { type: 'array', items: inner },
      { type: 'map', values: inner },
    ]) {
      expect(verdict([{ name: 'a', type }])).toContain(field)
    }
    expect(verdict([{ name, type: ['null', 'string'], default: null }])).toContain(field)
    expect(verdict([{ name: 'a', type: 'int', aliases: [name] }])).toContain(field)
    const symbols = { type: 'enum', name: 'E', symbols: ['A', name] }
    expect(verdict([{ name: 'a', type: symbols }])).toContain(`a symbol of an enum cannot be named ${name}`)
  })

  test.each(membersOfObjects.filter((name) => name !== '__proto__'))(
    '%s, is allowed for keys of maps',
    (name) => {
      const codec = codecOf([{ name: 'a', type: { type: 'map', values: 'string' } }])
      for (const data of [{ a: named(name, 'x') }, { a: {} }]) expect(back(codec, data)).toStrictEqual(data)
    },
  )

  test.each([...membersOfObjects, ...namesOfCode])('%s, is allowed for records', (name) => {
    const codec = codecOf([{ name: 'a', type: ['null', { type: 'record', name, fields: [] }] }], `${name}x`)
    expect(back(codec, { a: {} })).toStrictEqual({ a: {} })
    expect(back(codecOf([{ name: 'a', type: 'int' }], name), { a: 1 })).toStrictEqual({ a: 1 })
  })
})

test.each([...namesOfAvro, ...namesOfCode])('%s is allowed for a field, a symbol and a key', (name) => {
  const symbols = { type: 'enum', name: 'E', symbols: ['A', name], default: name }
  const codec = codecOf([
    { name, type: ['null', 'string'], default: null },
    { name: 'symbol_', type: symbols, default: name },
    { name: 'map_', type: { type: 'map', values: 'int' } },
  ])
  const data = { ...named(name, 'x'), symbol_: name, map_: named(name, 1) }
  expect(back(codec, data)).toStrictEqual(data)
  expect(back(codec, { map_: {} })).toStrictEqual({ ...named(name, null), symbol_: name, map_: {} })
})

test.each(namesOfAvro)('%s is allowed as the name of a type unless it is a primitive one', (name) => {
  const types = [
    { type: 'record', name, fields: [] },
    { type: 'enum', name, symbols: ['A'] },
    { type: 'fixed', name, size: 1 },
  ]
  const isPrimitive = namesOfAvro.indexOf(name) < 8
  for (const type of types) {
    const found = verdict([{ name: 'a', type: ['null', type] }])
    if (isPrimitive) expect(found).toContain(`cannot rename primitive type: "${name}"`)
    else expect(found).toBe('sound')
  }
})

describe('a default', () => {
  test.each(defaultCases)('of %j: %j is sound: %s', (type, byDefault, isSound) => {
    const found = verdict([{ name: 'a', type, default: byDefault }])
    if (isSound) expect(found).toBe('sound')
    else expect(found).toContain('field a: its default')
    const inner = { type: 'record', name: 'Inner', fields: [{ name: 'a', type, default: byDefault }] }
    const inside = verdict([{ name: 'list', type: { type: 'array', items: ['null', inner] } }])
    if (isSound) expect(inside).toBe('sound')
    else expect(inside).toContain('field list[].a: its default')
  })

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['9223372036854775807', '9223372036854775807'],
    ['9007199254740991', 9007199254740991],
  ])('of a long may be %s', (byDefault, json) => {
    const folder = schemaFiles({ 'order/Placed.v1.avsc': '{}' })
    const fields = [
      `{"name":"a","type":"long","default":${byDefault}}`,
      `{"name":"b","type":["long","null"],"default":${byDefault}}`,
      `{"name":"c","type":{"type":"array","items":"long"},"default":[${byDefault}]}`,
      `{"name":"d","type":"double","default":${byDefault}}`,
      `{"name":"e","type":{"type":"record","name":"E","fields":[{"name":"f","type":"long"}]},"default":{"f":${byDefault}}}`,
    ]
    writeFileSync(
      join(folder, 'order', 'Placed.v1.avsc'),
      `{"type":"record","name":"Placed","namespace":"order","fields":[${fields.join(',')}]}`,
    )
    const schemas = new SchemaFolder(folder)
    const [schema] = schemas.catalog.all
    if (schema === undefined) throw new Error('the schema was not read')
    expect(schema.text).toContain(`"default":${byDefault}}`)
    const filled = { a: json, b: json, c: [json], d: Number(byDefault), e: { f: json } }
    expect(back(new RecordCodec(schema), {})).toStrictEqual(filled)
    expect(releaseSchemas(schemas, createUpcasterChain([]))).toMatchObject({ problems: [] })
    schemas.writeTypes()
    expect(checkSchemas(new SchemaFolder(folder), createUpcasterChain([]))).toEqual([])
  })

  test.each(['9223372036854775808', '-9223372036854775809'])('of a long may not be %s', (byDefault) => {
    const text = `{"type":"record","name":"Placed","namespace":"order","fields":[{"name":"a","type":"long","default":${byDefault}}]}`
    expect(() => loadCatalog([schemaFiles({ 'order/Placed.v1.avsc': text })])).toThrow('field a: its default')
  })
})

test('a schema file is UTF-8, with or without a byte order mark', () => {
  const folder = schemaFiles({ 'order/Placed.v1.avsc': '' })
  const file = join(folder, 'order', 'Placed.v1.avsc')
  const text = JSON.stringify({ ...schemaWith([]), doc: 'café' })
  writeFileSync(file, Buffer.from(text, 'latin1'))
  expect(() => loadCatalog([folder])).toThrow(`${file}: not UTF-8`)
  writeFileSync(file, `\ufeff${text}`)
  expect(loadCatalog([folder]).all[0]?.text).toBe(text)
})
