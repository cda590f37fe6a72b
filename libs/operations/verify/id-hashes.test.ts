import { randomUUID } from 'node:crypto'

import { expect, test } from 'vitest'

import { IdHashes, hashOf } from './id-hashes.ts'

test('only ids that were added more than once are suspects, for any number of ids', () => {
  const ids = new IdHashes()
  const all = Array.from({ length: 150_000 }, () => randomUUID())
  for (const id of all) ids.add('order.1', id)
  const twice = [all[0], all[70_000], all[149_999]] as string[]
  for (const id of twice) ids.add('order.1', id)
  expect(ids.size).toBe(150_003)
  expect(ids.takeRepeated()).toEqual(new Set(twice.map((id) => hashOf('order.1', id))))
  expect(ids.size).toBe(0)
  expect(ids.takeRepeated()).toEqual(new Set())
})

test('ids that differ in one character have different hashes, and all hashes are whole numbers', () => {
  const ids = Array.from(
    { length: 10_000 },
    (_, index) => `0198c0de-0000-7000-8000-${String(index).padStart(12, '0')}`,
  )
  expect(new Set(ids.map((id) => hashOf('order.1', id))).size).toBe(ids.length)
  expect(ids.map((id) => hashOf('order.1', id)).every((hash) => Number.isSafeInteger(hash))).toBe(true)
})

test('one id in two streams is not a suspect: ids are compared within a stream', () => {
  const ids = new IdHashes()
  const id = randomUUID()
  ids.add('order.1', id)
  ids.add('order.2', id)
  expect(ids.takeRepeated()).toEqual(new Set())
})
