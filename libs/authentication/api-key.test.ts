import { createHash } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { parseKeyEntry } from '#access'
import { InvalidInputError } from '#domain'

import { newApiKey, partsOfApiKey } from './api-key.ts'

const nowMs = Date.parse('2026-03-01T00:00:00Z')
const at = () => nowMs

describe('a new API key', () => {
  test('has a public id and a secret of which the entry has only the hash', () => {
    const { entry, key } = newApiKey({ name: 'ada', roles: ['reader'] }, at)
    const [, id, secret = ''] = /^annals_([a-z2-7]{16})_([A-Za-z0-9_-]{43})$/.exec(key) ?? []
    expect(entry).toEqual({
      id,
      name: 'ada',
      roles: ['reader'],
      hash: createHash('sha256').update(secret).digest('hex'),
      createdAt: '2026-03-01T00:00:00.000Z',
    })
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(JSON.stringify(entry)).not.toContain(secret)
  })

  test('is an entry that an access document may have', () => {
    const { entry } = newApiKey({ name: 'ada', roles: ['reader'], expiresAt: '2026-04-01T00:00:00Z' }, at)
    expect(parseKeyEntry(entry, 'key')).toEqual(entry)
    expect(entry.expiresAt).toBe('2026-04-01T00:00:00.000Z')
  })

  test('is never the same', () => {
    const keys = Array.from({ length: 200 }, () => newApiKey({ name: 'ada', roles: [] }))
    expect(new Set(keys.map(({ key }) => key)).size).toBe(200)
    expect(new Set(keys.map(({ entry }) => entry.id)).size).toBe(200)
  })

  test.each([
    ['a name with white space', { name: 'ada l', roles: [] }, 'name'],
    ['no name', { name: '', roles: [] }, 'name'],
    ['a time that is over', { name: 'ada', roles: [], expiresAt: '2026-03-01T00:00:00Z' }, 'expiresAt'],
    ['a time that is none', { name: 'ada', roles: [], expiresAt: 'tomorrow' }, 'expiresAt'],
  ])('is refused with %s', (_, wanted, path) => {
    const failure = expect.objectContaining({ path }) as InvalidInputError
    expect(() => newApiKey(wanted, at)).toThrow(InvalidInputError)
    expect(() => newApiKey(wanted, at)).toThrow(failure)
  })
})

describe('the id in a key', () => {
  test('is found without the secret', () => {
    const { entry, key } = newApiKey({ name: 'ada', roles: [] })
    expect(partsOfApiKey(key)).toEqual({ id: entry.id, secret: key.slice(-43) })
  })
})
