import { setTimeout } from 'node:timers/promises'

import { SchemaRegistry as RegistryClient } from '@kafkajs/confluent-schema-registry'
import { expect, test } from 'vitest'

import type { ViewUpdate } from '#projections'

import { testStack, waitFor } from '../../support/stack/stack.ts'
import { changelogsForFile, messageBytesMax } from '../../support/projections/tested-changelog.ts'

const freshChangelog = await changelogsForFile()

/** The last change of each key, by key, without deleted views. */
const latestOf = (updates: readonly ViewUpdate[]): Record<string, unknown> =>
  Object.fromEntries(
    [...new Map(updates.map(({ key, view }) => [key, view]))].filter(([, view]) => view !== null).toSorted(),
  )

const totals = (purchases: number) => ({
  purchases,
  cds: 2 * purchases,
  spend: `${purchases}.50`,
  first: '1997-01-12',
  last: null,
})

const customers = (count: number, purchases: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`customer-${index}`, totals(purchases)]))

test('a consumer with only a registry client reads typed views', async () => {
  const changelog = await freshChangelog(true)
  changelog.keep()
  await changelog.change({ ada: totals(3) })
  await changelog.settled()
  const [record] = await changelog.records()
  const client = new RegistryClient({ host: testStack().registryUrl })
  const decoded = (await client.decode(record?.value ?? Buffer.alloc(0))) as Record<string, unknown>
  expect(record?.key.toString()).toBe('ada')
  expect(decoded).toMatchObject({ purchases: 3, cds: 6, spend: Buffer.from([0x01, 0x5e]), last: null })
  expect(Object.fromEntries(record?.headers.map(([name, value]) => [name, value.toString()]) ?? [])).toEqual({
    'content-type': 'application/avro',
    annals_generation: 'g1',
    annals_revision: '1',
    annals_changedat: '1970-01-02T00:00:00.000Z',
  })
})

test.each([
  ['in their own Avro schema', true],
  ['as JSON without a schema', false],
])('subscribers receive views unchanged, %s', async (_, isTyped) => {
  const changelog = await freshChangelog(isTyped)
  changelog.keep()
  await changelog.change({ ada: totals(3), bob: totals(1) })
  await changelog.settled()
  const updates = await changelog.updates()
  expect(latestOf(updates)).toEqual({ ada: totals(3), bob: totals(1) })
  expect(updates[0]?.changedAt).toBe('1970-01-02T00:00:00.000Z')
})

test('a deleted view is a record without a value, which subscribers receive as null', async () => {
  const changelog = await freshChangelog()
  changelog.keep()
  await changelog.change({ ada: totals(1), bob: totals(1) })
  await changelog.settled()
  await changelog.change({ ada: null })
  await changelog.settled()
  const records = await changelog.records()
  expect(records.filter(({ value }) => value === null).map(({ key }) => key.toString())).toEqual(['ada'])
  const updates = await changelog.updates()
  expect(updates.filter(({ view }) => view === null).map(({ key }) => key)).toEqual(['ada'])
  expect(latestOf(updates)).toEqual({ bob: totals(1) })
})

test('a crash between publishing and marking loses nothing: the next publisher publishes again', async () => {
  const changelog = await freshChangelog()
  await changelog.change(customers(20, 1))
  const dead = changelog.writer()
  await dead.takeOver()
  await dead.publish('g1', await changelog.unpublished())
  await changelog.change(customers(10, 2))
  changelog.marksThatFail = 1
  changelog.keep()
  await changelog.settled()
  expect(await changelog.records()).toHaveLength(60)
  expect(latestOf(await changelog.updates())).toEqual(
    Object.fromEntries(Object.entries({ ...customers(20, 1), ...customers(10, 2) }).toSorted()),
  )
})

test('a zombie that wakes with old views is rejected by the broker and ends', async () => {
  const changelog = await freshChangelog()
  const zombie = changelog.writer()
  await zombie.takeOver()
  await changelog.change(customers(20, 1))
  const old = await changelog.unpublished()
  await changelog.change(customers(20, 2))
  const next = changelog.keep()
  await changelog.settled()
  await expect(zombie.publish('g1', old)).rejects.toMatchObject({ outcome: 'fenced' })
  expect(await changelog.keep(zombie).ending).toBe('fenced')
  await changelog.change({ ada: totals(7) })
  next.publisher.wake()
  await changelog.settled()
  const expected = { ada: totals(7), ...customers(20, 2) }
  expect(latestOf(await changelog.updates())).toEqual(Object.fromEntries(Object.entries(expected).toSorted()))
})

test('a second publisher of a projection ends the first one', async () => {
  const changelog = await freshChangelog()
  const first = changelog.keep()
  await changelog.change({ ada: totals(1) })
  await changelog.settled()
  changelog.keep()
  const ending = waitFor('the first publisher to notice', async () => {
    await changelog.change(customers(20, 1))
    first.publisher.wake()
    return Promise.race([first.ending, setTimeout(20)])
  })
  expect(await ending).toBe('fenced')
  await changelog.settled()
})

test('a hot view is published as often as the topic accepts, ending with its last state', async () => {
  const changelog = await freshChangelog()
  const { publisher } = changelog.keep()
  const changes = 2_000
  for (let count = 1; count <= changes; count++) {
    await changelog.change({ hot: totals(count) })
    publisher.wake()
    if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await changelog.settled()
  const updates = await changelog.updates()
  expect(updates.length).toBeLessThan(changes / 2)
  expect(updates.at(-1)?.view).toEqual(totals(changes))
})

test('a cursor resumes with exactly the changes after it', async () => {
  const changelog = await freshChangelog()
  changelog.keep()
  for (let round = 1; round <= 4; round++) {
    await changelog.change(customers(5, round))
    await changelog.settled()
  }
  const bare = (updates: readonly ViewUpdate[]) =>
    updates.map(({ key, view }) => JSON.stringify([key, view])).toSorted()
  const all = await changelog.updates()
  expect(all).toHaveLength(20)
  for (let seen = 1; seen < all.length; seen++) {
    const cursor = all[seen - 1]?.cursor ?? ''
    expect(bare(await changelog.updates(cursor))).toEqual(bare(all.slice(seen)))
  }
})

test('a subscriber of one view receives only its changes, in order', async () => {
  const changelog = await freshChangelog()
  changelog.keep()
  const key = 'customer-1'
  for (let round = 1; round <= 3; round++) {
    await changelog.change(customers(9, round))
    await changelog.settled()
  }
  const leaving = new AbortController()
  const got: unknown[] = []
  for await (const update of changelog.reader.updates(changelog.projection.name, { key }, leaving.signal)) {
    expect(update.key).toBe(key)
    if (got.push(update.view) === 3) break
  }
  expect(got).toEqual([totals(1), totals(2), totals(3)])
})

test('a live subscriber from now on receives only later changes, immediately', async () => {
  const changelog = await freshChangelog()
  const { publisher } = changelog.keep()
  await changelog.change({ ada: totals(1) })
  await changelog.settled()
  const { name } = changelog.projection
  const cursor = await changelog.reader.cursorNow(name)
  const updates = changelog.reader.updates(name, { cursor }, AbortSignal.timeout(30_000))
  const next = updates.next()
  await changelog.change({ ada: totals(2) })
  publisher.wake()
  expect((await next).value).toMatchObject({ key: 'ada', view: totals(2) })
  await updates.return(undefined)
})

test('views that do not fit their schema or the topic are not published and delay no others', async () => {
  const changelog = await freshChangelog(true)
  const writer = changelog.writer()
  await writer.takeOver()
  await changelog.change({ odd: { purchases: 'many' }, ada: totals(1) })
  const refused = await writer.publish('g1', await changelog.unpublished())
  expect(refused.map(({ view, reason }) => [view.key, reason.message])).toEqual([
    ['odd', expect.stringContaining('view.purchases: expected a whole number of 32 bits, got "many"')],
  ])
  expect((await changelog.records()).map(({ key }) => key.toString())).toEqual(['ada'])
  const untyped = await freshChangelog()
  const other = untyped.writer()
  await other.takeOver()
  await untyped.change({ huge: 'x'.repeat(messageBytesMax), ada: 1 })
  const tooLarge = await other.publish('g1', await untyped.unpublished())
  expect(tooLarge[0]?.reason.message).toContain('raise ANNALS_KAFKA_MESSAGE_BYTES_MAX')
  expect(await untyped.updates()).toMatchObject([{ key: 'ada', view: 1 }])
})

test('more views than one batch holds are published in several batches', async () => {
  const changelog = await freshChangelog()
  changelog.keep()
  const views = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`large-${index}`, 'x'.repeat(100_000)]),
  )
  await changelog.change(views)
  await changelog.settled()
  expect(Object.keys(latestOf(await changelog.updates()))).toHaveLength(30)
})
