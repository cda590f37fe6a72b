import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { describe, expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient } from '#client'
import { partitionFor, type StreamId } from '#domain'
import { EventStoreError } from '#event-store'

import type { RoutingEntry } from '../../../services/writer/writer-api.ts'
import { testClient, testWriter } from '../../support/services/closing.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

const topic = 'eventstore.order'
const partitions = 6
const event = { type: 'ItemAdded', data: {} }
const streamIds = Array.from({ length: 60 }, (_, n) => `order.${n}` as StreamId)

/** The index of the writer that owns the partition. */
const ownerOf = (streamId: string): number => partitionFor(streamId, partitions) % 3

const table = (urlOf: (partition: number) => string): readonly RoutingEntry[] =>
  Array.from({ length: partitions }, (_, partition) => ({
    topic,
    partition,
    url: urlOf(partition),
    memberId: 'writer',
  }))

/** Three writers. Each owns every third partition and reports the same owners. */
async function threeWriters() {
  const apis = [new InMemoryWriter(), new InMemoryWriter(), new InMemoryWriter()] as const
  const writers = await Promise.all(apis.map((api) => testWriter(api)))
  const urls = writers.map(({ url }) => url)
  const owners = table((partition) => urls[partition % 3] ?? '')
  apis.forEach((api) => (api.partitionOwners = owners))
  return { apis, urls, writers }
}

const streamsSeenBy = (api: InMemoryWriter): string[] => api.requests.flat().map(({ streamId }) => streamId)

/** Appends to a stream of the second writer until one arrives there: then the client knows the table. */
async function learnTable(client: AnnalsClient, apis: readonly InMemoryWriter[]): Promise<void> {
  const probe = streamIds.find((streamId) => ownerOf(streamId) === 1) ?? ''
  await expect
    .poll(async () => {
      await client.append(probe, [event])
      return apis[1]?.requests.length
    })
    .toBe(1)
  apis.forEach((api) => (api.requests.length = 0))
}

describe('requests go directly to the owner of the partition', () => {
  test('as soon as the table is known', async () => {
    const { apis, urls } = await threeWriters()
    const client = testClient({ url: urls[0] ?? '' })
    await learnTable(client, apis)
    await Promise.all(streamIds.map((streamId) => client.append(streamId, [event])))
    apis.forEach((api, index) => {
      const own = streamIds.filter((streamId) => ownerOf(streamId) === index)
      expect(streamsSeenBy(api).toSorted()).toEqual(own.toSorted())
    })
    const infos = await Promise.all(streamIds.map((streamId) => client.info(streamId)))
    expect(infos.every(({ version }) => version > 0)).toBe(true)
  })

  test('but not when direct routing is off', async () => {
    const { apis, urls } = await threeWriters()
    const client = testClient({ url: urls[0] ?? '', direct: false })
    await Promise.all(streamIds.map((streamId) => client.append(streamId, [event])))
    expect(apis.map((api) => streamsSeenBy(api).length)).toEqual([60, 0, 0])
  })
})

describe('an outdated table', () => {
  test('is requested again when a writer answers that it is not the owner', async () => {
    const { apis, urls } = await threeWriters()
    const client = testClient({ url: urls[0] ?? '' })
    await learnTable(client, apis)
    const [former, next] = apis
    const moved = table(() => urls[1] ?? '')
    apis.forEach((api) => (api.partitionOwners = moved))
    const refuse = (requests: readonly unknown[]) => {
      former.requests.push(requests as never)
      return Promise.resolve(
        requests.map(() => new EventStoreError('not-owner', 'another writer owns the partition')),
      )
    }
    former.appendMany = refuse
    const streamId = streamIds.find((id) => ownerOf(id) === 0) as StreamId
    const result = await client.append(streamId, [event])
    const tried = former.requests
      .flat()
      .concat(next.requests.flat())
      .flatMap(({ events }) => events.map(({ id }) => id))
    expect(former.requests.length).toBeGreaterThan(0)
    expect(new Set(tried)).toEqual(new Set(result.eventIds))
    expect((await next.store.load(streamId)).version).toBe(1)
  })

  test('sends nothing more to an unreachable owner', async () => {
    const { apis, urls, writers } = await threeWriters()
    const client = testClient({ url: urls[0] ?? '' })
    await learnTable(client, apis)
    await writers[2]?.app.close()
    const own = streamIds.filter((streamId) => ownerOf(streamId) === 2)
    const results = await Promise.all(own.map((streamId) => client.append(streamId, [event])))
    expect(results.every(({ lastVersion }) => lastVersion === 1)).toBe(true)
  })
})

test.each([[{}], [{ urls: [] }]])('a client without a url is rejected: %j', (options) => {
  expect(() => testClient(options)).toThrow(/the client has no url/)
})

test.each(['127.0.0.1:7400', 'ftp://example', ''])('a client with the url %j is rejected', (url) => {
  expect(() => testClient({ url })).toThrow(/is malformed/)
})

describe('a table with owners that cannot be followed', () => {
  test('sends their requests to the configured writer, and others directly to their owners', async () => {
    const { apis, urls } = await threeWriters()
    const [, second] = apis
    const unverified = table((partition) => urls[partition % 3] ?? '').map(({ url, ...owner }) =>
      url === urls[1] ? owner : { ...owner, url: url ?? '' },
    )
    apis.forEach((api) => (api.partitionOwners = unverified))
    const client = testClient({ url: urls[0] ?? '' })
    await expect
      .poll(async () => {
        await client.append(streamIds.find((streamId) => ownerOf(streamId) === 2) ?? '', [event])
        return apis[2].requests.length
      })
      .toBeGreaterThan(0)
    await Promise.all(streamIds.map((streamId) => client.append(streamId, [event])))
    expect(second.requests).toEqual([])
  })

  test.each(['javascript:alert(1)', 'file:///etc/passwd', '', 'no url'])(
    '%j is not followed',
    async (url) => {
      const { apis, urls } = await threeWriters()
      apis.forEach((api) => (api.partitionOwners = table(() => url)))
      const client = testClient({ url: urls[0] ?? '' })
      await Promise.all(streamIds.map((streamId) => client.append(streamId, [event])))
      await client.owners()
      await Promise.all(streamIds.map((streamId) => client.append(streamId, [event])))
      expect(streamsSeenBy(apis[0])).toHaveLength(120)
    },
  )

  test('a redirect is not followed', async () => {
    const beyond = new InMemoryWriter()
    const { url } = await testWriter(beyond)
    const redirecting = createServer((_, response) => {
      response.writeHead(307, { location: `${url}/appends` }).end()
    })
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void redirecting.close())
    const { port } = redirecting.address() as AddressInfo
    const client = testClient({ url: `http://127.0.0.1:${port}`, retries: { triesMax: 2 } })
    await expect(client.append('order.1', [event])).rejects.toBeInstanceOf(EventStoreError)
    expect(beyond.requests).toEqual([])
  })
})
