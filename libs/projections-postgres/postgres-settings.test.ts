import { expect, test } from 'vitest'

import { InvalidInputError } from '#domain'

import { databaseSettings, schemaName } from './postgres-settings.ts'

test.each([
  ['postgres://annals:hidden@db.example:6432/views', 'db.example:6432/views'],
  ['postgresql://annals@[::1]/views?sslmode=verify-full', '[::1]:5432/views'],
  ['postgres:///views?host=/run/postgresql', '/run/postgresql:5432/views'],
])('errors about %s name %s', (url, where) => {
  expect(databaseSettings({ url }).where).toBe(where)
})

test.each([
  '',
  'db.example',
  'mysql://annals:hidden@db.example/views',
  'postgres://annals:hidden@db example/x',
])('the URL %j is rejected without being repeated', (url) => {
  const parse = () => databaseSettings({ url })
  expect(parse).toThrow(InvalidInputError)
  expect(parse).not.toThrow(/hidden/)
})

test.each(['', 'pg_views', 'x'.repeat(64), 'é'.repeat(32), 'a\0'])('the schema %j is rejected', (schema) => {
  expect(() => schemaName({ url: '', schema })).toThrow(InvalidInputError)
})

test('the schema is annals by default', () => {
  expect(schemaName({ url: '' })).toBe('annals')
  expect(schemaName({ url: '', schema: 'Sales "1"' })).toBe('Sales "1"')
})
