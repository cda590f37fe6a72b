import { describe, expect, test } from 'vitest'

import type { CategoryEvent, CategoryQuery } from '#event-store'
import { EventStoreError } from '#event-store'
import type { StreamId } from '#domain'

import { testClient, testWriter } from '../../support/services/closing.ts'
import { cuttingProxy } from '../../support/proxies/cutting-proxy.ts'
import { readSome } from '../../support/http/http-call.ts'
import { InMemoryWriter } from '../../support/append/in-memory-writer.ts'

const streamId = 'order.1' as StreamId
const item = (n: number) => ({ type: n % 2 === 0 ? 'Even' : 'Odd', data: { n } })
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

async function appendItems(api: InMemoryWriter, from: number, to: number): Promise<void> {
  for (const n of numbers(from, to)) await api.append(streamId, [item(n)])
}

const numberOf = ({ event }: CategoryEvent): number => (event.data as { n: number }).n

async function take(events: AsyncIterable<CategoryEvent>, count: number): Promise<CategoryEvent[]> {
  const taken: CategoryEvent[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

describe('a subscription', () => {
  test('returns past events, then new ones', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 3)
    const { url } = await testWriter(api)
    const events = testClient({ url }).subscribe('order')
    const past = await take({ [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }, 3)
    expect(past.map(numberOf)).toEqual([1, 2, 3])
    const next = events.next()
    await appendItems(api, 4, 4)
    expect(numberOf((await next).value as CategoryEvent)).toBe(4)
    await events.return(undefined)
  })

  test('returns events as the store has them', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 1)
    const { url } = await testWriter(api)
    const [first] = await take(testClient({ url }).subscribe('order'), 1)
    expect(first?.event).toEqual((await api.store.read(streamId)).events[0])
  })

  test('applies filters, and starts after a cursor', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 10)
    const { url } = await testWriter(api)
    const client = testClient({ url })
    const query: CategoryQuery = { eventTypes: ['Even'] }
    const first = await take(client.subscribe('order', query), 2)
    expect(first.map(numberOf)).toEqual([2, 4])
    const cursor = first.at(-1)?.cursor ?? ''
    expect((await take(client.subscribe('order', { ...query, cursor }), 3)).map(numberOf)).toEqual([6, 8, 10])
  })

  test('ends when its signal aborts, also while it is idle', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 1)
    const { url } = await testWriter(api)
    const ending = new AbortController()
    const events = testClient({ url }).subscribe('order', {}, { signal: ending.signal })
    await events.next()
    const next = events.next()
    ending.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  test('ends when the client is closed', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 1)
    const { url } = await testWriter(api)
    const client = testClient({ url })
    const events = client.subscribe('order')
    await events.next()
    const next = events.next()
    await client.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  test('to an aggregate type that does not exist is rejected', async () => {
    const { url } = await testWriter(new InMemoryWriter())
    await expect(testClient({ url }).subscribe('nothing').next()).rejects.toMatchObject({
      code: 'category-not-found',
    })
  })
})

describe('a subscription continues without loss or duplicates', () => {
  test.each([700, 1_500, 2_345])('when connections are cut after every %i bytes', async (bytesMax) => {
    const api = new InMemoryWriter()
    const { url } = await testWriter(api)
    const proxy = await cuttingProxy(url, bytesMax)
    await appendItems(api, 1, 20)
    const client = testClient({ url: proxy.url, direct: false, retries: { delayMsMax: 5 } })
    const [taken] = await Promise.all([take(client.subscribe('order'), 40), appendItems(api, 21, 40)])
    expect(taken.map(numberOf)).toEqual(numbers(1, 40))
    expect(proxy.connections()).toBeGreaterThan(3)
  })

  test('when the writer is restarted', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 5)
    const first = await testWriter(api)
    const events = testClient({ url: first.url, retries: { triesMax: 1_000, delayMsMax: 20 } }).subscribe(
      'order',
    )
    const taken: number[] = []
    for (let n = 1; n <= 5; n += 1) taken.push(numberOf((await events.next()).value as CategoryEvent))
    await first.app.close()
    await appendItems(api, 6, 8)
    await testWriter(api, { port: Number(new URL(first.url).port) })
    for (let n = 6; n <= 8; n += 1) taken.push(numberOf((await events.next()).value as CategoryEvent))
    expect(taken).toEqual(numbers(1, 8))
    await events.return(undefined)
  })

  test('when the connection falls silent', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 2)
    const real = api.followCategory.bind(api)
    let opened = 0
    api.followCategory = async function* (type, query, signal) {
      opened += 1
      for await (const event of real(type, query, signal)) {
        yield event
        if (opened === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }
    }
    const { url } = await testWriter(api)
    const client = testClient({ url, silenceMsMax: 2_000, retries: { delayMsMax: 5 } })
    expect((await take(client.subscribe('order'), 2)).map(numberOf)).toEqual([1, 2])
    expect(opened).toBe(2)
  })

  test('when its source fails for a while', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 3)
    const real = api.followCategory.bind(api)
    api.followCategory = async function* (type, query, signal) {
      for await (const event of real(type, query, signal)) {
        yield event
        throw new EventStoreError('unavailable', 'the partition moves')
      }
    }
    const { url } = await testWriter(api)
    const client = testClient({ url, retries: { delayMsMax: 5 } })
    expect((await take(client.subscribe('order'), 3)).map(numberOf)).toEqual([1, 2, 3])
  })

  test('but not when its source fails permanently, or its writer stays unreachable', async () => {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 1)
    api.followCategory = () => {
      throw new Error('secret')
    }
    const { url, app } = await testWriter(api)
    const client = testClient({ url, retries: { triesMax: 3, delayMsMax: 5 } })
    const refused = client.subscribe('order').next()
    await expect(refused).rejects.toMatchObject({ code: 'internal' })
    await expect(refused).rejects.not.toThrow(/secret/)
    await app.close()
    await expect(client.subscribe('order').next()).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a subscription whose filter matches nothing', () => {
  /** Returns one event, then only cursors up to the end of the log. Records where each subscription starts. */
  async function barren(opened: (string | undefined)[]) {
    const api = new InMemoryWriter()
    await appendItems(api, 1, 5)
    const real = api.subscribeCategory.bind(api)
    api.subscribeCategory = async function* (type, query, signal) {
      opened.push(query.cursor)
      if (query.cursor === undefined) {
        for await (const batch of real(type, query, signal)) {
          yield batch
          break
        }
        yield { events: [], cursor: '3' }
        yield { events: [], cursor: '5' }
        throw new EventStoreError('unavailable', 'the partition moves')
      }
      yield* real(type, query, signal)
    }
    return api
  }

  test('reports its cursor, and resumes from it after a broken connection and after a restart', async () => {
    const opened: (string | undefined)[] = []
    const api = await barren(opened)
    const { url } = await testWriter(api)
    const cursors: string[] = []
    const options = { onProgress: (cursor: string) => void cursors.push(cursor) }
    const client = testClient({ url, retries: { delayMsMax: 5 } })
    const events = client.subscribe('order', { eventTypes: ['Odd'] }, options)
    expect(numberOf((await events.next()).value as CategoryEvent)).toBe(1)
    const next = events.next()
    await expect.poll(() => opened).toEqual([undefined, '5'])
    expect(cursors).toEqual(['3', '5'])
    await appendItems(api, 6, 7)
    expect(numberOf((await next).value as CategoryEvent)).toBe(7)
    await events.return(undefined)

    const resumed = client.subscribe('order', { eventTypes: ['Odd'], cursor: cursors.at(-1) ?? '' })
    expect((await take(resumed, 1)).map(numberOf)).toEqual([7])
    expect(opened.at(-1)).toBe('5')
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('the disk is full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the disk is full'))],
  ])('does not fail when its callback %s', async (_, onProgress) => {
    const api = await barren([])
    const { url } = await testWriter(api)
    const client = testClient({ url, retries: { delayMsMax: 5 } })
    const events = client.subscribe('order', { eventTypes: ['Odd'] }, { onProgress })
    await events.next()
    const next = events.next()
    await appendItems(api, 6, 7)
    expect(numberOf((await next).value as CategoryEvent)).toBe(7)
    await events.return(undefined)
  })

  test('sends its cursor over HTTP as a separate event', async () => {
    const { url } = await testWriter(await barren([]))
    const text = await readSome(await fetch(`${url}/categories/order/subscribe?eventType=Odd`), /problem/)
    expect(text).toContain('id: 3\nevent: progress\ndata: {}\n\nid: 5\nevent: progress\ndata: {}\n\n')
  })
})

test.each(['99', 'x'])('a subscription from the cursor %s is rejected before it starts', async (cursor) => {
  const api = new InMemoryWriter()
  await appendItems(api, 1, 2)
  const { url } = await testWriter(api)
  expect((await fetch(`${url}/categories/order/subscribe?cursor=${cursor}`)).status).toBe(400)
  await expect(testClient({ url }).subscribe('order', { cursor }).next()).rejects.toMatchObject({
    code: 'invalid-request',
    details: { path: 'cursor' },
  })
})
