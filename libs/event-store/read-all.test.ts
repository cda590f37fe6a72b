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

test.each([
  ['forwards', 5],
  ['forwards', 4],
  ['backwards', 5],
  ['backwards', 6],
] as const)('fails when a next page does not advance: %s, version %i after 5', async (direction, next) => {
  const pages = [five, parseVersion(next)]
  const store = { read: () => Promise.resolve({ ...emptyPage, next: pages.shift() ?? five }) }
  await expect(Array.fromAsync(readAll(store, streamId, { direction }))).rejects.toMatchObject({
    code: 'internal',
    message: `the store returned version ${next} as the next page of order.order-42 after version 5: pages must advance`,
  })
})
