import { expect, test } from 'vitest'

import { position } from '#domain'
import type { FedChunk } from '#projections'

import { RecentChunks } from './recent-chunks.ts'

/** Offsets from one on, each with an event but for those at the end. */
const chunk = (from: number, events: number, markers = 0): FedChunk => ({
  events: Array.from({ length: events }, (_, n) => ({
    position: position('eventstore.order', 0, from + n),
    timestamp: '',
    unreadable: new Error('not needed'),
  })),
  nextOffset: from + events + markers,
  highWatermark: from + events + markers,
})

const offsetsOf = (found: FedChunk | undefined) => found?.events.map((event) => event.position.offset)

test('gives all that is kept from an offset on as one piece', () => {
  const recent = new RecentChunks()
  recent.startAt(10)
  recent.add(chunk(10, 3, 2))
  recent.add(chunk(15, 2))
  expect(recent.nextOffset).toBe(17)
  expect(recent.from(10)).toMatchObject({ nextOffset: 17, highWatermark: 17 })
  expect(offsetsOf(recent.from(10))).toEqual([10, 11, 12, 15, 16])
  expect(offsetsOf(recent.from(12))).toEqual([12, 15, 16])
  expect(offsetsOf(recent.from(13))).toEqual([15, 16])
  expect(offsetsOf(recent.from(16))).toEqual([16])
  recent.add(chunk(17, 0, 2))
  expect(recent.from(17)).toMatchObject({ events: [], nextOffset: 19 })
})

test('has nothing before the first piece, nor behind the last', () => {
  const recent = new RecentChunks()
  recent.startAt(10)
  expect(recent.from(10)).toBeUndefined()
  recent.add(chunk(10, 3))
  expect(recent.from(9)).toBeUndefined()
  expect(recent.from(13)).toBeUndefined()
})

test('a piece that moves nothing is not kept', () => {
  const recent = new RecentChunks()
  recent.add(chunk(0, 0))
  expect(recent.from(0)).toBeUndefined()
  expect(recent.nextOffset).toBe(0)
  recent.add(chunk(0, 5))
  for (let n = 0; n < 5_000; n++) recent.add(chunk(5, 0))
  expect(offsetsOf(recent.from(0))).toHaveLength(5)
})

test('begins anew without what it kept', () => {
  const recent = new RecentChunks()
  recent.add(chunk(0, 5))
  recent.startAt(100)
  expect(recent.nextOffset).toBe(100)
  expect(recent.from(0)).toBeUndefined()
  recent.add(chunk(100, 1_999))
  recent.add(chunk(2_099, 1))
  expect(offsetsOf(recent.from(100))).toHaveLength(2_000)
})

test('keeps 2,000 events and lets the oldest pieces go', () => {
  const recent = new RecentChunks()
  for (let n = 0; n < 100; n++) recent.add(chunk(n * 100, 100))
  expect(recent.from(7_999)).toBeUndefined()
  expect(offsetsOf(recent.from(8_000))).toHaveLength(2_000)
})

test('keeps the newest piece, however large', () => {
  const recent = new RecentChunks()
  recent.add(chunk(0, 10))
  recent.add(chunk(10, 5_000))
  expect(recent.from(0)).toBeUndefined()
  expect(offsetsOf(recent.from(10))).toHaveLength(5_000)
})

test('pieces of markers alone take room, too', () => {
  const recent = new RecentChunks()
  for (let n = 0; n < 5_000; n++) recent.add(chunk(n, 0, 1))
  expect(recent.from(2_999)).toBeUndefined()
  expect(recent.from(3_000)).toBeDefined()
})
