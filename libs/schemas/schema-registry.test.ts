import { expect, test } from 'vitest'

import { SchemaError } from './schema-error.ts'
import { SchemaRegistry } from './schema-registry.ts'
import { FakeRegistry } from './testing/fake-registry.ts'

const subject = 'eventstore.order-order.Placed'
const path = '/subjects/eventstore.order-order.Placed'
const text = '{"type":"string"}'

const quick = { retryDelayMs: 1, timeoutMs: 2000 }

async function failure(work: Promise<unknown>): Promise<SchemaError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SchemaError)
  return error as SchemaError
}

test('a schema is registered, and its subject is set to FULL_TRANSITIVE from its first version on', async () => {
  const fake = await FakeRegistry.start()
  const registry = new SchemaRegistry({ url: `${fake.url}/` })
  expect(registry.url).toBe(fake.url)
  expect(await registry.find(subject, text)).toBeUndefined()
  const id = await registry.register(subject, text)
  expect(fake.config.get(subject)).toBe('FULL_TRANSITIVE')
  expect(await registry.find(subject, text)).toBe(id)
  expect(await registry.schemaById(id)).toBe(text)
  expect(await registry.schemaById(99)).toBeUndefined()
})

test('the subjects of a schema and the versions of a subject can be listed', async () => {
  const fake = await FakeRegistry.start()
  const registry = new SchemaRegistry({ url: fake.url })
  fake.planned.push(
    { status: 200, body: [{ subject, version: 3 }] },
    { status: 404, body: {} },
    { status: 200, body: [10, 2] },
    { status: 200, body: { subject, version: 2, id: 7, schema: text } },
    { status: 200, body: { subject, version: 10, id: 9, schema: text } },
    { status: 404, body: {} },
  )
  expect(await registry.usesOf(7)).toEqual([{ subject, version: 3 }])
  expect(await registry.usesOf(8)).toEqual([])
  expect(await registry.versionsOf(subject)).toEqual([
    { subject, version: 2, id: 7, text },
    { subject, version: 10, id: 9, text },
  ])
  expect(await registry.versionsOf('no-such')).toEqual([])
  expect(fake.requests.slice(2, 5)).toEqual([
    `GET ${path}/versions`,
    `GET ${path}/versions/2`,
    `GET ${path}/versions/10`,
  ])
})

test('an incompatible schema is rejected with its subject and the reason', async () => {
  const fake = await FakeRegistry.start()
  fake.planned.push(
    { status: 200, body: {} },
    { status: 409, body: { message: 'READER_FIELD_MISSING_DEFAULT_VALUE: note' } },
  )
  const error = await failure(new SchemaRegistry({ url: fake.url }).register(subject, text))
  expect(error.code).toBe('incompatible')
  expect(error.message).toContain(
    `subject ${subject} as incompatible with an earlier version (FULL_TRANSITIVE): READER_FIELD_MISSING_DEFAULT_VALUE: note`,
  )
})

test('compatibility can be checked before registering', async () => {
  const fake = await FakeRegistry.start()
  const registry = new SchemaRegistry({ url: fake.url })
  expect(await registry.checkCompatibility(subject, text)).toEqual({ compatible: true, messages: [] })
  fake.planned.push({ status: 200, body: { is_compatible: false, messages: ['no default'] } })
  expect(await registry.checkCompatibility(subject, text)).toEqual({
    compatible: false,
    messages: ['no default'],
  })
  fake.planned.push({ status: 404, body: {} })
  expect(await registry.checkCompatibility(subject, text)).toEqual({ compatible: true, messages: [] })
})

test('a rejection contains the registry’s message', async () => {
  const fake = await FakeRegistry.start()
  fake.planned.push({ status: 422, body: { message: 'not Avro' } }, { status: 401, body: 'who are you?' })
  const registry = new SchemaRegistry({ url: fake.url })
  const refused = await failure(registry.find(subject, text))
  expect(refused.code).toBe('registry-refused')
  expect(refused.message).toBe(
    `the schema registry at ${fake.url} did not look up a schema of subject ${subject}: HTTP 422, not Avro`,
  )
  expect((await failure(registry.schemaById(1))).message).toContain('HTTP 401, no reason given')
})

test('a passing failure is retried, a lasting one a bounded number of times', async () => {
  const fake = await FakeRegistry.start()
  const registry = new SchemaRegistry({ url: fake.url, retries: 2, ...quick })
  const down = { status: 503, body: '' }
  fake.planned.push(down, { status: 429, body: '' })
  expect(await registry.find(subject, text)).toBeUndefined()
  expect(fake.requests).toEqual(Array(3).fill(`POST ${path}`))
  fake.planned.push(down, down, down)
  const error = await failure(registry.find(subject, text))
  expect(error.code).toBe('registry-unreachable')
  expect(error.message).toContain(`${fake.url} cannot be reached (HTTP 503): start it`)
  expect(fake.requests).toHaveLength(6)
})

test('a registry that is down is named, without its password', async () => {
  const fake = await FakeRegistry.start()
  await fake.stop()
  const url = fake.url.replace('//', '//user:secret@')
  const error = await failure(new SchemaRegistry({ url, retries: 1, ...quick }).schemaById(1))
  expect(error.message).toContain(
    `the schema registry at ${fake.url} cannot be reached (connect ECONNREFUSED`,
  )
  expect(error.message).not.toContain('secret')
})

test('user and password are sent', async () => {
  const fake = await FakeRegistry.start()
  const url = fake.url.replace('//', '//user:p%40ss@')
  await new SchemaRegistry({ url }).find(subject, text)
  expect(fake.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
})

test('a malformed URL is reported by the constructor', () => {
  expect(() => new SchemaRegistry({ url: 'localhost' })).toThrow(
    '"localhost" is not the URL of a schema registry',
  )
})
