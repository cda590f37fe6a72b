import fc from 'fast-check'
import { expect, test } from 'vitest'

import { recordBytesBound } from '#kafka'

import { AuditQueue } from './audit-queue.ts'

const record = (bytes: number) => ({
  key: Buffer.alloc(0),
  value: Buffer.alloc(bytes),
  headers: [],
  timestampMs: 0,
})
const one = recordBytesBound(record(0))

test('it is bounded in entries and in bytes', () => {
  const few = new AuditQueue({ entriesMax: 2, bytesMax: 1e6 })
  expect([1, 2, 3].map(() => few.add(record(0), false))).toEqual([true, true, false])
  const small = new AuditQueue({ entriesMax: 100, bytesMax: 2 * one + 10 })
  expect([10, 11, 0].map((bytes) => small.add(record(bytes), false))).toEqual([true, false, true])
})

test('denials leave a fifth of it to others', () => {
  const queue = new AuditQueue({ entriesMax: 10, bytesMax: 1e6 })
  for (let count = 0; count < 20; count++) queue.add(record(0), true)
  expect(queue.length).toBe(8)
  expect(queue.add(record(0), false)).toBe(true)
})

test('the head is in order, at least one entry, and within the bounds of a batch', () => {
  const queue = new AuditQueue({ entriesMax: 10, bytesMax: 1e6 })
  const records = [1_000, 1, 2, 3].map(record)
  for (const each of records) queue.add(each, false)
  expect(queue.head(10, 10)).toEqual(records.slice(0, 1))
  queue.remove(1)
  expect(queue.head(2, 1e6)).toEqual(records.slice(1, 3))
  expect(queue.head(10, 2 * one + 3)).toEqual(records.slice(1, 3))
})

test('the bytes are those of the entries in it, whatever is added and removed', () => {
  const step = fc.oneof(fc.nat(500), fc.integer({ min: -5, max: -1 }))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new AuditQueue({ entriesMax: 20, bytesMax: 3_000 })
      for (const each of steps) {
        if (each < 0) queue.remove(-each)
        else queue.add(record(each), each % 2 === 0)
      }
      const all = queue.head(100, Infinity)
      expect(all).toHaveLength(queue.length)
      expect(queue.bytes).toBe(all.reduce((sum, each) => sum + recordBytesBound(each), 0))
      expect(queue.bytes).toBeLessThanOrEqual(3_000)
      expect(queue.length).toBeLessThanOrEqual(20)
    }),
  )
})
