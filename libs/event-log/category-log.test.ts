import { expect, test } from 'vitest'

import type { LogReader } from '#kafka'

import { CategoryLog } from './category-log.ts'
import type { EventFormat } from './event-format.ts'

/** An empty topic whose two partitions end at 5 and 3. */
const ends = [5, 3]
const reader = {
  startOffset: () => Promise.resolve(0),
  endOffset: (_: string, partition: number) => Promise.resolve(ends[partition]),
  read: async function* () {
    // No records.
  },
} as unknown as LogReader
const log = new CategoryLog({
  reader,
  format: { decode: () => Promise.resolve([]) } as unknown as EventFormat,
  topics: [{ name: 'eventstore.order', partitions: 2 } as never],
  eventTypesOf: () => [],
  keptBytesMax: 1_000,
  pagesWaitingMax: 10,
})
const refused = (path: string) => ({ code: 'invalid-request', details: { path } })

test.each(['6,0', '5,4', '999,999'])(
  'the cursor %s is beyond the end: pages and subscriptions reject it',
  async (cursor) => {
    await expect(log.readCategory('order', { cursor })).rejects.toMatchObject(refused('cursor'))
    await expect(log.readCategory('order', { cursor })).rejects.toThrow('outside the log')
    await expect(log.checkCategory('order', { cursor })).rejects.toMatchObject(refused('cursor'))
  },
)

test('a cursor at the end is where the next page starts', async () => {
  for (const cursor of ['5,3', '0,0', '5,0']) {
    expect(await log.readCategory('order', { cursor })).toEqual({ events: [], cursor: '5,3', atEnd: true })
    await log.checkCategory('order', { cursor })
  }
})

test('only the requested partition is checked', async () => {
  const query = { partition: 0, cursor: '5,999' }
  expect(await log.readCategory('order', query)).toMatchObject({ atEnd: true, cursor: '5,999' })
  await log.checkCategory('order', query)
})

test('an offset beyond the end is rejected', async () => {
  expect(await log.cursorAt('order', 1, 3)).toBe('0,3')
  await expect(log.cursorAt('order', 1, 4)).rejects.toMatchObject(refused('offset'))
})

test('a malformed cursor is rejected', async () => {
  for (const cursor of ['x', '1', '1,2,3', '-1,0', '1.5,0']) {
    await expect(log.checkCategory('order', { cursor })).rejects.toMatchObject(refused('cursor'))
    await expect(log.readCategory('order', { cursor })).rejects.toMatchObject(refused('cursor'))
  }
})
