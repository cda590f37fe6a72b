import fc from 'fast-check'
import { expect, test } from 'vitest'

import { detachedRecord } from './detached-record.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))

const record = fc.record({
  offset: fc.nat(),
  timestampMs: fc.nat(),
  key: bytes,
  value: fc.option(bytes, { nil: null }),
  headers: fc.array(fc.tuple(fc.string(), bytes), { maxLength: 12 }),
})

test('a detached record is equal, and keeps no memory but its own bytes', () => {
  fc.assert(
    fc.property(record, (one) => {
      const copy = detachedRecord(one)
      expect(copy).toEqual(one)
      const parts = [copy.key, copy.value ?? copy.key, ...copy.headers.map(([, part]) => part)]
      const [memory] = new Set(parts.map(({ buffer }) => buffer))
      expect(parts.every(({ buffer }) => buffer === memory)).toBe(true)
      const stored = [one.key, one.value, ...one.headers.map(([, part]) => part)]
      expect(memory?.byteLength).toBe(stored.reduce((sum, part) => sum + (part?.length ?? 0), 0))
    }),
  )
})
