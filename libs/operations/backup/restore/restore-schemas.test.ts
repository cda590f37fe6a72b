import { expect, test } from 'vitest'

import type { StoredRecord } from '#kafka'
import type { SchemaRegistry } from '#schemas'

import { schemaIdIn } from '../schemas-used.ts'
import { restoreSchemas, withRestoredId } from './restore-schemas.ts'

/** A registry that assigns ids from 100 on, one per schema text. */
function registry() {
  const texts: string[] = []
  const registered: string[] = []
  const made = {
    find: () => Promise.resolve(undefined),
    register: (subject: string, text: string) => {
      registered.push(`${subject} ${text}`)
      if (!texts.includes(text)) texts.push(text)
      return Promise.resolve(100 + texts.indexOf(text))
    },
  }
  return { registered, registry: made as unknown as SchemaRegistry }
}

const record = (value: Buffer | null): StoredRecord => ({
  ...{ offset: 1, key: Buffer.from('k'), value, timestampMs: 5 },
  headers: [['h', Buffer.from('x')]],
})

const valueOf = (id: number, rest = 'body'): Buffer => {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, Buffer.from(rest)])
}

test('schemas are registered in the order of their versions, and old ids are mapped to new ones', async () => {
  const { registry: target, registered } = registry()
  const ids = await restoreSchemas(target, [
    { subject: 'a', version: 1, id: 7, text: 'A1' },
    { subject: 'a', version: 2, id: 9, text: 'A2' },
    { subject: 'b', version: 1, id: 7, text: 'A1' },
  ])
  expect(registered).toEqual(['a A1', 'a A2', 'b A1'])
  expect([...ids]).toEqual([
    [7, 100],
    [9, 101],
  ])
})

test('only the four bytes of the id change', () => {
  const before = record(valueOf(7))
  const after = withRestoredId(before, new Map([[7, 0xfffffffe]]))
  expect(after).toEqual({ ...before, value: valueOf(0xfffffffe) })
  expect(before.value).toEqual(valueOf(7))
})

test.each<[string, Buffer | null]>([
  ['no value', null],
  ['a value too short for an id', Buffer.from([0, 0, 0, 0])],
  ['a value of another format', Buffer.from('7777777')],
  ['an unknown id', valueOf(8)],
  ['an id that did not change', valueOf(3)],
])('%s is unchanged', (_, value) => {
  const before = record(value)
  const ids = new Map([
    [7, 100],
    [3, 3],
  ])
  expect(withRestoredId(before, ids)).toBe(before)
})

test('a value has an id if it starts with a zero byte and four more bytes', () => {
  expect(schemaIdIn(valueOf(65_536, ''))).toBe(65_536)
  expect(schemaIdIn(Buffer.from('text that is long enough'))).toBeUndefined()
})
