import { expect, test } from 'vitest'

import { noVersion, parseStreamId, parseVersion, type ReadOptions, type StreamPage } from '#domain'

import { readAll } from './read-all.ts'

const streamId = parseStreamId('order.order-42')
const five = parseVersion(5)
const emptyPage: StreamPage = { streamId, version: noVersion, events: [] }

test('continues after an empty page that has a next page', async () => {
  const asked: ReadOptions[] = []
  const store = {
    read: (_: unknown, options: ReadOptions = {}) => {
      asked.push(options)
      return Promise.resolve(options.fromVersion === five ? emptyPage : { ...emptyPage, next: five })
    },
  }
  expect(await Array.fromAsync(readAll(store, streamId, { limit: 7 }))).toEqual([])
  expect(asked).toEqual([{ limit: 7 }, { limit: 7, fromVersion: 5 }])
})

test.each(['forwards', 'backwards'] as const)(
  'fails when the store returns the same next page again: %s',
  async (direction) => {
    const store = { read: () => Promise.resolve({ ...emptyPage, next: five }) }
    await expect(Array.fromAsync(readAll(store, streamId, { direction }))).rejects.toMatchObject({
      code: 'internal',
      message: 'the store returned version 5 as the next page of order.order-42 again',
    })
  },
)
