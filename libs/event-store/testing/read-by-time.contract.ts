import { setTimeout as delay } from 'node:timers/promises'

import { beforeAll, describe, expect, test } from 'vitest'

import type { ReadOptions, StreamId } from '#domain'

import { readAll } from '../read-all.ts'
import type { Subject } from './store-under-test.ts'

/** Appends single events until the store's clock has advanced twice, so the stream has at least three different times. */
async function streamOfThreeTimes({ store, event, freshStreamId }: Subject): Promise<StreamId> {
  const streamId = freshStreamId()
  const deadlineMs = Date.now() + 10_000
  const times = new Set<string>()
  for (let n = 1; times.size < 3; n += 1) {
    if (Date.now() > deadlineMs) throw new Error('the store’s clock does not advance')
    await store.append(streamId, [event(n)])
    times.add((await store.info(streamId)).lastTimestamp)
    await delay(1)
  }
  return streamId
}

export function readByTimeContract(subject: () => Subject): void {
  describe('reading by time', () => {
    let streamId: StreamId
    let first: string, middle: string, last: string

    beforeAll(async () => {
      streamId = await streamOfThreeTimes(subject())
      const times = await timesOf({})
      const distinct = [...new Set(times)]
      first = distinct[0] ?? ''
      middle = distinct[1] ?? ''
      last = distinct.at(-1) ?? ''
    })

    const timesOf = async (options: ReadOptions): Promise<string[]> => {
      const events = await Array.fromAsync(readAll(subject().store, streamId, options))
      return events.map(({ timestamp }) => timestamp)
    }

    test('from a time returns the events at and after it', async () => {
      const all = await timesOf({})
      expect(await timesOf({ from: middle })).toEqual(all.filter((time) => time >= middle))
    })

    test('until a time returns the events before it', async () => {
      const all = await timesOf({})
      expect(await timesOf({ until: middle })).toEqual(all.filter((time) => time < middle))
    })

    test('between two times excludes the second one', async () => {
      const all = await timesOf({})
      expect(await timesOf({ from: first, until: last })).toEqual(all.filter((time) => time < last))
      expect(await timesOf({ from: middle, until: middle })).toEqual([])
    })

    test('works backwards, page by page, and combined with versions', async () => {
      const all = await timesOf({})
      const before = all.filter((time) => time < last)
      expect(await timesOf({ until: last, direction: 'backwards', limit: 1 })).toEqual(before.toReversed())
      const { store } = subject()
      const { events } = await store.read(streamId, { limit: 2 })
      const second = events[1]
      expect(second).toBeDefined()
      const fromSecond = await timesOf({
        from: first,
        until: last,
        ...(second && { fromVersion: second.version }),
      })
      expect(fromSecond).toEqual(before.slice(1))
    })

    test('agrees with the first and last time that info returns', async () => {
      expect(await subject().store.info(streamId)).toMatchObject({
        firstTimestamp: first,
        lastTimestamp: last,
      })
    })

    test('accepts times with an offset from UTC', async () => {
      const shifted = new Date(Date.parse(middle) + 2 * 3_600_000).toISOString().replace('Z', '+02:00')
      expect(await timesOf({ from: shifted })).toEqual(await timesOf({ from: middle }))
    })

    test('before the first event and after the last returns nothing', async () => {
      expect(await timesOf({ until: first })).toEqual([])
      expect(await timesOf({ from: new Date(Date.parse(last) + 1).toISOString() })).toEqual([])
    })
  })
}
