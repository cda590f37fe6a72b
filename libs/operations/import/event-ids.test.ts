import { expect, test } from 'vitest'

import { streamIdOf } from '#domain'

import { LineEventIds } from './event-ids.ts'
import type { DraftLine } from './imported-line.ts'

type IdentifiedBy = Omit<DraftLine, 'line'>

const draft = (id: string, amount: number, key?: string): IdentifiedBy => ({
  streamId: streamIdOf('order', id),
  type: 'OrderPlaced',
  data: { amount },
  ...(key !== undefined && { key }),
})
const idsOf = (drafts: readonly IdentifiedBy[], source = 'till') => {
  const ids = new LineEventIds(source)
  return drafts.map((each) => ids.idOf(each))
}

test('the same lines get the same ids in every run, and each line another id', () => {
  const drafts = [draft('1', 5), draft('1', 5), draft('2', 5), draft('1', 6)]
  expect(idsOf(drafts)).toEqual(idsOf(drafts))
  expect(new Set(idsOf(drafts)).size).toBe(4)
})

test('adding or moving lines does not change the ids of other lines', () => {
  const [a, b] = [draft('1', 5), draft('1', 6)]
  const [idA, idB] = idsOf([a, b])
  expect(idsOf([draft('1', 7), b, a, a])).toEqual(expect.arrayContaining([idA, idB]))
})

test('the same line from another source is another event', () => {
  expect(idsOf([draft('1', 5)])).not.toEqual(idsOf([draft('1', 5)], 'web'))
})

test('a UUID key is the id; the id of another key depends only on source, stream and key', () => {
  const uuid = '0198C0DE-0000-7000-8000-000000000001'
  expect(idsOf([draft('1', 5, uuid)])).toEqual([uuid.toLowerCase()])
  expect(idsOf([draft('1', 5, 'no. 7')])).toEqual(idsOf([draft('1', 6, 'no. 7')]))
  expect(idsOf([draft('1', 5, 'no. 7')])).not.toEqual(idsOf([draft('2', 5, 'no. 7')]))
})

test('a line without a key is identified by its canonical form, without schemas by its values in any order', () => {
  const line = { streamId: streamIdOf('order', '1'), type: 'OrderPlaced' }
  const [id] = idsOf([{ ...line, data: { a: 1, b: { c: [2, { d: 3, e: 4 }] } } }])
  expect(idsOf([{ ...line, data: { b: { c: [2, { e: 4, d: 3 }] }, a: 1 } }])).toEqual([id])
  expect(idsOf([{ ...line, data: { a: 1, b: { c: [{ d: 3, e: 4 }, 2] } } }])).not.toEqual([id])
  const spelled = { ...line, content: 'same' }
  expect(idsOf([{ ...spelled, data: { a: 1 } }])).toEqual(idsOf([{ ...spelled, data: { a: '1' } }]))
})
