import { describe, expect, test } from 'vitest'

import { newEventId, streamIdOf } from '#domain'

import { AppendQueue } from './append-queue.ts'
import { PendingAppend } from './pending-append.ts'

const append = (events: number, { bytes = 10, deadlineMs = 1_000 } = {}): PendingAppend =>
  new PendingAppend(
    streamIdOf('customer', newEventId()),
    'any',
    Array.from({ length: events }, () => ({
      id: newEventId(),
      type: 'PurchaseMade',
      metadata: {},
      value: Buffer.alloc(bytes),
    })),
    deadlineMs,
  )

const limits = { eventsMax: 10, bytesMax: 10_000 }

describe('AppendQueue', () => {
  test('returns appends in order of arrival, as many as fit the events of one batch', () => {
    const queue = new AppendQueue(100)
    const [a, b, c] = [append(6), append(4), append(1)]
    for (const each of [a, b, c]) queue.add(each)
    expect(queue.take(limits)).toEqual([a, b])
    expect(queue.take(limits)).toEqual([c])
    expect(queue.depth).toBe(0)
  })

  test('never splits an append, and never exceeds the bytes of one batch', () => {
    const queue = new AppendQueue(100)
    const [a, b] = [append(2, { bytes: 3_000 }), append(2, { bytes: 3_000 })]
    queue.add(a)
    queue.add(b)
    expect(queue.take(limits)).toEqual([a])
    expect(queue.depth).toBe(2)
  })

  test('rejects appends beyond its bound and keeps the others', () => {
    const queue = new AppendQueue(5)
    queue.add(append(4))
    expect(() => queue.add(append(2))).toThrow(expect.objectContaining({ code: 'overloaded' }))
    expect(queue.depth).toBe(4)
    queue.add(append(1))
    expect(queue.depth).toBe(5)
  })

  test('returns appends that were put back first', () => {
    const queue = new AppendQueue(100)
    const [a, b, c] = [append(1), append(1), append(1)]
    queue.add(c)
    queue.putBack([a, b])
    expect(queue.take(limits)).toEqual([a, b, c])
  })

  test('removes expired appends and keeps the others in order', () => {
    const queue = new AppendQueue(100)
    const [a, late, c] = [append(1), append(3, { deadlineMs: 5 }), append(1)]
    for (const each of [a, late, c]) queue.add(each)
    expect(queue.takeExpired(5)).toEqual([late])
    expect(queue.depth).toBe(2)
    expect(queue.takeAll()).toEqual([a, c])
  })
})
