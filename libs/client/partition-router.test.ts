import { describe, expect, test } from 'vitest'

import { partitionFor, type StreamId } from '#domain'
import { EventStoreError } from '#event-store'

import { PartitionRouter } from './partition-router.ts'

const streamId = 'order.1' as StreamId

/** A router that has learned the owner of each of four partitions of `order`. */
async function routerWith(
  urls: readonly string[],
  owner: string,
  mayUse: (url: URL) => boolean = () => true,
) {
  const owners = Array.from({ length: 4 }, (_, partition) => ({
    topic: 'eventstore.order',
    partition,
    url: partition === partitionFor(streamId, 4) ? owner : 'https://other:7400',
    memberId: 'writer',
  }))
  const asked = Promise.withResolvers<undefined>()
  const router = new PartitionRouter(urls, {
    direct: true,
    mayUse,
    fetchOwners: () => {
      asked.resolve(undefined)
      return Promise.resolve(owners)
    },
  })
  router.refresh()
  await asked.promise
  await new Promise(setImmediate)
  return router
}

describe('an owner', () => {
  test.each([
    ['https://a:7400', 'https://b:7400'],
    ['http://a:7400', 'http://b:7400'],
    ['http://a:7400', 'https://b:7400'],
  ])('of a client for %s may be at %s', async (url, owner) => {
    const router = await routerWith([url], owner)
    expect(router.urlFor(streamId)).toBe(owner)
  })

  test.each(['http://b:7400', 'http://127.0.0.1:7400', 'ftp://b', 'https://', 'b'])(
    'of a client for https is not called at %s',
    async (owner) => {
      const router = await routerWith(['https://a:7400'], owner)
      for (let turn = 0; turn < 8; turn++) {
        expect(['https://a:7400', 'https://other:7400']).toContain(router.urlFor(streamId))
      }
    },
  )

  test('is not called where the token would be exposed', async () => {
    const router = await routerWith(['http://a:7400'], 'http://b:7400', ({ hostname }) => hostname !== 'b')
    for (let turn = 0; turn < 8; turn++) expect(router.urlFor(streamId)).not.toBe('http://b:7400')
  })
})

test.each(['unauthenticated', 'forbidden', 'limit-exceeded'] as const)(
  'a writer that answers %s is used further',
  async (code) => {
    const asked: string[] = []
    const router = new PartitionRouter(['http://a', 'http://b'], {
      direct: true,
      mayUse: () => true,
      fetchOwners: (url) => {
        asked.push(url)
        return Promise.reject(new EventStoreError(code, 'no'))
      },
    })
    router.refresh()
    await new Promise(setImmediate)
    expect(asked).toHaveLength(1)
    expect(new Set([router.anyUrl(), router.anyUrl()])).toEqual(new Set(['http://a', 'http://b']))
  },
)
