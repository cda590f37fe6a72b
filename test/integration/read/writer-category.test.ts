import { beforeAll, expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient } from '#client'
import { newEventId, type RecordedEvent } from '#domain'
import type { CategoryQuery } from '#event-store'

import { testClient } from '../../support/services/closing.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  runningProcess,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { writerForFile } from '../../support/services/writer-for-file.ts'
import { Traffic } from '../../support/append/writer-traffic.ts'

const partitions = 3
const correlationId = newEventId()

const { where, writer, client } = await writerForFile({ ANNALS_KAFKA_PARTITIONS: String(partitions) })
/** All events, each partition's in the order of the log. */
let all: readonly RecordedEvent[]

beforeAll(async () => {
  for (let round = 0; round < 10; round++) {
    const metadata = round % 2 === 0 ? { correlationId } : {}
    await Promise.all(
      Array.from({ length: 12 }, () => client.append(freshStream(where.type), [purchase(1, { metadata })])),
    )
  }
  all = (await client.readCategory(where.type, { limit: 1_000 })).events
})

/** All pages, following the cursors. */
async function pages(query: CategoryQuery): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await client.readCategory(where.type, { ...query, ...(cursor !== undefined && { cursor }) })
    expect(page.events.length).toBeLessThanOrEqual(query.limit ?? 100)
    events.push(...page.events)
    if (page.atEnd) return events
    cursor = page.cursor
  }
}

test('a category has each event once, in the order of its partition, with any page size', async () => {
  expect(new Set(all.map(({ id }) => id)).size).toBe(120)
  for (const own of Map.groupBy(all, ({ position }) => position.partition).values()) {
    const offsets = own.map(({ position }) => position.offset)
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
  }
  expect(await pages({ limit: 7 })).toEqual(all)
})

test('a category can be read by event type, by correlation id, by time, by partition and from an offset', async () => {
  const correlated = all.filter(({ metadata }) => metadata.correlationId === correlationId)
  expect(correlated).toHaveLength(60)
  expect(await pages({ correlationId, limit: 11 })).toEqual(correlated)
  expect(await pages({ eventTypes: ['PurchaseMade'] })).toEqual(all)

  const times = all.map(({ timestamp }) => timestamp).sort()
  const [from = '', until = ''] = [times[40], times[80]]
  expect(await pages({ from, until, limit: 9 })).toEqual(
    all.filter(({ timestamp }) => timestamp >= from && timestamp < until),
  )

  const second = all.filter(({ position }) => position.partition === 1)
  expect(await pages({ partition: 1 })).toEqual(second)
  const offset = second[5]?.position.offset ?? 0
  const response = await fetch(`${writer.url}/categories/${where.type}/events?partition=1&offset=${offset}`)
  const { events } = (await response.json()) as { events: { id: string }[] }
  expect(events.map(({ id }) => id)).toEqual(second.slice(5).map(({ id }) => id))
})

test('pages and subscriptions refuse an unknown event type and suggest the nearest', async () => {
  const refused = { code: 'invalid-request', details: { path: 'eventType' } }
  const query = { eventTypes: ['PurchaseMad'] }
  await expect(client.readCategory(where.type, query)).rejects.toMatchObject(refused)
  await expect(client.readCategory(where.type, query)).rejects.toThrow('did you mean PurchaseMade?')
  const live = await fetch(`${writer.url}/categories/${where.type}/subscribe?eventType=PurchaseMad`)
  expect(live.status).toBe(400)
  expect(await live.json()).toMatchObject({ code: 'invalid-request', path: 'eventType' })
})

test('a partition or cursor that a category does not have is refused', async () => {
  await expect(client.readCategory('no-such-type')).rejects.toMatchObject({ code: 'category-not-found' })
  await expect(client.readCategory(where.type, { partition: partitions })).rejects.toMatchObject({
    code: 'invalid-request',
  })
  for (const cursor of ['x', '0,0,999999']) {
    const refused = { code: 'invalid-request', details: { path: 'cursor' } }
    await expect(client.readCategory(where.type, { cursor })).rejects.toMatchObject(refused)
    await expect(client.subscribe(where.type, { cursor }).next()).rejects.toMatchObject(refused)
    const { status } = await fetch(`${writer.url}/categories/${where.type}/subscribe?cursor=${cursor}`)
    expect(status).toBe(400)
  }
})

test('a subscription whose filter matches nothing reports its progress, and resumes from there', async () => {
  const { cursor: end } = await client.readCategory(where.type, { limit: 1_000 })
  const cursors: string[] = []
  const leaving = new AbortController()
  const options = { signal: leaving.signal, onProgress: (cursor: string) => void cursors.push(cursor) }
  const following = client.subscribe(where.type, { correlationId: newEventId() }, options).next()
  await waitFor('the cursor is at the end', () => Promise.resolve(cursors.at(-1) === end))
  leaving.abort()
  expect(await following).toEqual({ done: true, value: undefined })

  const [event, wanted] = [purchase(1), newEventId()]
  const resumed = client.subscribe(where.type, { correlationId: wanted, cursor: end })
  await client.append(freshStream(where.type), [{ ...event, metadata: { correlationId: wanted } }])
  expect((await resumed.next()).value).toMatchObject({ event: { data: event.data } })
  await resumed.return(undefined)
})

test('a live subscription continues when its writer is killed: no event is missing or duplicated', async () => {
  const own = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4', ANNALS_WRITER_SESSION_TIMEOUT: '6s' })
  const [first, second] = [await runningProcess(own), await runningProcess(own)]
  const traffic = new Traffic(testClient({ urls: [first.url, second.url] }), own.domain.types)
  onTestFinished(() => traffic.stop())
  const ended = new AbortController()
  // Subscribers use writers round-robin, so the killed writer serves one of these two.
  const followers = [
    [first.url, second.url],
    [second.url, first.url],
  ].map((urls) => follow(testClient({ urls, direct: false }), own.type, ended.signal))
  await traffic.waitForMore()
  first.kill('SIGKILL')
  await traffic.waitForMore(200)
  await traffic.stop()
  const ids = traffic.acknowledged.flatMap(({ eventIds }) => eventIds)
  for (const { seen } of followers) {
    await waitFor('all events are seen', () => Promise.resolve(seen.length >= ids.length), {
      timeoutMs: 20_000,
    })
  }
  ended.abort()
  await Promise.all(followers.map(({ done }) => done))
  for (const { seen } of followers) expect(seen.toSorted()).toEqual(ids.toSorted())
})

/** Records the id of each event of a subscription. */
function follow(subscriber: AnnalsClient, type: string, signal: AbortSignal) {
  const seen: string[] = []
  const run = async () => {
    for await (const { event } of subscriber.subscribe(type, {}, { signal })) seen.push(event.id)
  }
  return { seen, done: run() }
}
