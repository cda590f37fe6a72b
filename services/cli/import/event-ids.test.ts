import { expect, test } from 'vitest'

import { streamIdOf } from '#domain'

import { EventIds } from './event-ids.ts'
import type { Draft } from './imported-line.ts'

const draft = (id: string, amount: number, key?: string): Draft => ({
  streamId: streamIdOf('order', id),
  type: 'OrderPlaced',
  data: { amount },
  ...(key !== undefined && { key }),
})
const idsOf = (drafts: readonly Draft[], source = 'till') => {
  const ids = new EventIds(source)
  return drafts.map((each) => ids.idOf(each))
}

test('the same lines get the same ids in every run, each one its own', () => {
  const drafts = [draft('1', 5), draft('1', 5), draft('2', 5), draft('1', 6)]
  expect(idsOf(drafts)).toEqual(idsOf(drafts))
  expect(new Set(idsOf(drafts)).size).toBe(4)
})

test('lines that are added or moved leave the ids of others as they are', () => {
  const [a, b] = [draft('1', 5), draft('1', 6)]
  const [idA, idB] = idsOf([a, b])
  expect(idsOf([draft('1', 7), b, a, a])).toEqual(expect.arrayContaining([idA, idB]))
})

test('the same line of another source is another event', () => {
  expect(idsOf([draft('1', 5)])).not.toEqual(idsOf([draft('1', 5)], 'web'))
})

test('a key that is a UUID is the id; another makes one, whatever else the line says', () => {
  const uuid = '0198C0DE-0000-7000-8000-000000000001'
  expect(idsOf([draft('1', 5, uuid)])).toEqual([uuid.toLowerCase()])
  expect(idsOf([draft('1', 5, 'no. 7')])).toEqual(idsOf([draft('1', 6, 'no. 7')]))
  expect(idsOf([draft('1', 5, 'no. 7')])).not.toEqual(idsOf([draft('2', 5, 'no. 7')]))
})
