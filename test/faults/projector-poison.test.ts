import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient } from '#client'
import {
  aggregateIdOf,
  eventTopic,
  formatPosition,
  partitionFor,
  type Position,
  type StreamId,
} from '#domain'
import { LogReader } from '#kafka'
import type { ProjectionInfo } from '#projections'

import type { Totals } from '../../examples/customers/totals.ts'
import type { MonthlyRevenue } from '../../schemas/monthly-revenue/events.generated.ts'
import { testClient } from '../support/services/closing.ts'
import { Post } from '../support/services/crew.ts'
import {
  deadLettersInTopic,
  poisonCds,
  poisonInstallation,
  type PoisonInstallation,
} from '../support/services/poison-domain.ts'
import { appendPast } from '../support/append/past-the-writer.ts'
import { metricOf, shortSessions } from '../support/services/projector-process.ts'
import { testStack, waitFor } from '../support/stack/stack.ts'
import { TcpProxy } from '../support/proxies/tcp-proxy.ts'
import { caughtUp, viewsOf } from '../support/projections/views-check.ts'
import {
  purchase,
  runningProjector,
  runningWriter,
  streamPerPartition,
} from '../support/services/writer-fixture.ts'

const partitions = 4

let where: PoisonInstallation
let client: AnnalsClient
let streams: StreamId[]
/** The stream of the faulty events, which determines the affected partition. */
let bad: StreamId
let badPartition: number

beforeEach(async () => {
  where = poisonInstallation(shortSessions)
  const writer = await runningWriter(where)
  client = testClient({ url: writer.url, direct: false })
  streams = streamPerPartition(where.type, partitions)
  bad = streams[0] as StreamId
  badPartition = partitionFor(bad, partitions)
})

const buy = async (streamId: StreamId, ...cds: number[]): Promise<Position> =>
  (
    await client.append(
      streamId,
      cds.map((each) => purchase(each)),
    )
  ).position

const buyEverywhere = (...cds: number[]) => Promise.all(streams.map((streamId) => buy(streamId, ...cds)))

/** Purchases by customer, from views by stream. */
async function bought(url: string, name: string): Promise<Record<string, number>> {
  const views = (await viewsOf(url, name)) as Map<string, Totals>
  return Object.fromEntries([...views].map(([key, { purchases }]) => [key, purchases]))
}

const each = (count: number, badCount = count) =>
  Object.fromEntries(
    streams.map((streamId) => [aggregateIdOf(streamId), streamId === bad ? badCount : count]),
  )

/** Purchases of the only month. */
const inMonth = async (url: string, name: string) =>
  ((await viewsOf(url, name)) as Map<string, MonthlyRevenue>).get('1997-01')?.purchases

const projectionAt = (url: string, name: string) => testClient({ url, direct: false }).projection(name)

const badPlace = ({ generations }: ProjectionInfo) =>
  generations[0]?.partitions.find(({ partition }) => partition === badPartition)

/** Waits until the projection is stopped there, and has applied everything else. */
const stoppedAt = (url: string, name: string): Promise<ProjectionInfo> =>
  waitFor(`${name} to stop`, async () => {
    const info = await projectionAt(url, name).describe()
    const others = info.generations[0]?.partitions.filter(({ partition }) => partition !== badPartition)
    const isThere = badPlace(info)?.stopped !== undefined && others?.every(({ lag }) => lag === 0)
    return isThere && info
  })

describe('an event whose reducer throws', () => {
  test('stops its partition or is parked, by the policy, and delays nothing else; after a fix it counts, once', async () => {
    const projector = await runningProjector(where)
    const { url } = projector
    const { stopping, settingAside, unharmed } = where
    await buyEverywhere(1)
    const at = await buy(bad, poisonCds)
    await buyEverywhere(2)

    await caughtUp(url, unharmed)
    expect(await bought(url, unharmed)).toEqual(each(2, 3))
    await caughtUp(url, settingAside)
    expect(await inMonth(url, settingAside)).toBe(2 * partitions)
    const info = await stoppedAt(url, stopping)
    expect(await bought(url, stopping)).toEqual(each(2, 1))

    expect(badPlace(info)).toMatchObject({
      checkpoint: at.offset,
      lag: 2,
      stopped: { position: formatPosition(at), error: 'too many CDs' },
    })
    const metric = (name: string, projection: string) =>
      metricOf(url, `annals_projector_${name}`, { projection })
    expect(await metric('stopped', stopping)).toBe(1)
    expect(await metric('lag_events', stopping)).toBe(2)
    expect(await metric('failures_total', stopping)).toBe(2)
    expect(await metric('stopped', unharmed)).toBe(0)
    expect(await metric('failures_total', unharmed)).toBe(0)
    expect(await metric('dead_letters_waiting', settingAside)).toBe(1)
    expect(await metric('dead_letters_total', settingAside)).toBe(1)
    const aside = projectionAt(url, settingAside)
    const letter = { position: formatPosition(at), error: 'too many CDs' }
    expect(await aside.deadLetters()).toMatchObject([letter])
    const [original] = await new LogReader(projector.backends.cluster).fetchAt(at.topic, at.partition, [
      at.offset,
    ])
    const [copy, ...others] = await deadLettersInTopic(projector.backends, settingAside)
    expect(others).toEqual([])
    expect(copy).toMatchObject({ key: original?.key, value: original?.value })
    expect(copy?.headers).toEqual(expect.arrayContaining([...(original?.headers ?? [])]))
    expect(headersOf(copy)).toMatchObject({
      annals_source: letter.position,
      annals_error: letter.error,
      annals_projection: settingAside,
    })

    // Until the fix, another try has the same result.
    expect(await projectionAt(url, stopping).resume()).toEqual({ resumed: 1 })
    expect(badPlace(await stoppedAt(url, stopping))).toMatchObject({ checkpoint: at.offset })
    expect(await aside.retryDeadLetters()).toMatchObject({ applied: 0, failed: [letter] })
    await projector.close()

    const mended = [await runningProjector(where, where.mended), await runningProjector(where, where.mended)]
    const [first = '', second = ''] = mended.map((each) => each.url)
    await stoppedAt(first, stopping)
    expect(await projectionAt(first, stopping).resume()).toEqual({ resumed: 1 })
    await caughtUp(first, stopping)
    expect(await bought(first, stopping)).toEqual(each(2, 3))

    const retries = await Promise.all(
      [first, second].map((at) => projectionAt(at, settingAside).retryDeadLetters()),
    )
    expect(retries.reduce((sum, { applied }) => sum + applied, 0)).toBe(1)
    expect(retries.flatMap(({ failed }) => failed)).toEqual([])
    expect(await inMonth(first, settingAside)).toBe(2 * partitions + 1)
    expect(await projectionAt(second, settingAside).retryDeadLetters()).toEqual({ applied: 0, failed: [] })
    expect(await projectionAt(second, settingAside).deadLetters()).toEqual([])
  })

  test('many of them are parked once, and applied once, however often projectors are killed in the meantime', async () => {
    const { settingAside } = where
    const poisons = 120
    const atOnce = { ANNALS_PROJECTOR_TRIES_MAX: '1' }
    const posts = [new Post('projector', where, atOnce), new Post('projector', where, atOnce)] as const
    await Promise.all(posts.map((post) => post.fill()))
    const [victim, other] = posts
    const parked = async () =>
      (await projectionAt(other.url, settingAside).describe()).generations[0]?.deadLetters ?? 0
    const reaches = (what: string, isThere: (count: number) => boolean) =>
      waitFor(what, async () => isThere(await parked()), { timeoutMs: 60_000 })

    for (let at = 0; at < poisons; at += partitions) await buyEverywhere(1, poisonCds)
    await reaches('some to be parked', (count) => count > 0)
    await victim.kill()
    await reaches('all to be parked', (count) => count === poisons)
    await caughtUp(other.url, settingAside)
    expect(await inMonth(other.url, settingAside)).toBe(poisons)

    const redis = await TcpProxy.start(testStack().redisUrl)
    onTestFinished(() => redis.close())
    const killed = new Post('projector', where, { ...where.mended, ANNALS_REDIS_URL: redis.url })
    const spared = new Post('projector', where, where.mended)
    await Promise.all([...posts.map((post) => post.leave()), killed.fill(), spared.fill()])
    const waiting = async () =>
      (await projectionAt(spared.url, settingAside).describe()).generations[0]?.deadLetters
    // It gets no further than this event, whichever is faster.
    const appliedBefore = 30
    redis.holdFrom(`"purchases":${poisons + appliedBefore + 1},`)
    const impatient = testClient({ url: killed.url, direct: false, retries: { triesMax: 1 } })
    const broken = expect(impatient.projection(settingAside).retryDeadLetters()).rejects.toThrow()
    await waitFor('one of them to be in flight', () => Promise.resolve(redis.held > 0))
    killed.process.kill('SIGKILL')
    await broken
    expect(await waiting()).toBe(poisons - appliedBefore)
    await Promise.all([1, 2].map(() => projectionAt(spared.url, settingAside).retryDeadLetters()))
    expect(await projectionAt(spared.url, settingAside).deadLetters()).toEqual([])
    expect(await inMonth(spared.url, settingAside)).toBe(2 * poisons)
  })
})

const headersOf = (record: { readonly headers: readonly (readonly [string, Buffer])[] } | undefined) =>
  Object.fromEntries((record?.headers ?? []).map(([name, value]) => [name, value.toString()]))

/** A record that cannot be decoded as an event, although the owner's marker precedes it. */
const unreadable = (streamId: StreamId) => {
  const headers = {
    ce_id: '0198c0de-0000-7000-8000-000000000001',
    ce_subject: streamId,
    ce_type: 'PurchaseMade',
    ce_streamversion: '1',
    ce_time: '2026-01-31T12:00:00.000Z',
  }
  const avro = (id: number) => Buffer.from([0, ...Buffer.from(id.toString(16).padStart(8, '0'), 'hex'), 2, 2])
  return [
    { value: Buffer.from([1, 2, 3, 4, 5, 6]), headers },
    { value: avro(0x7f00_0000), headers },
    { value: avro(1), headers: {} },
    { value: null, headers },
  ].map((record) => ({
    ...{ key: Buffer.from(streamId), timestampMs: Date.now(), value: record.value },
    headers: Object.entries(record.headers),
  }))
}

test('records that cannot be decoded stop their partition or are parked unchanged, and delay nothing else', async () => {
  const projector = await runningProjector(where)
  const { url } = projector
  const { stopping, settingAside } = where
  await buyEverywhere(1)
  const records = unreadable(`${where.type}.unreadable` as StreamId)
  await appendPast(projector.backends, eventTopic(where.type), badPartition, records)
  await buyEverywhere(2)

  await caughtUp(url, settingAside)
  expect(await inMonth(url, settingAside)).toBe(2 * partitions)
  await stoppedAt(url, stopping)
  expect(await bought(url, stopping)).toEqual(each(2, 1))
  const letters = await projectionAt(url, settingAside).deadLetters()
  expect(letters.map(({ error }) => error)).toEqual([
    expect.stringContaining('are not in Confluent'),
    expect.stringContaining('schema id 2130706432 is not in the registry'),
    expect.stringContaining('it has no header ce_id'),
    expect.stringContaining('it has no value'),
  ])
  const copies = await deadLettersInTopic(projector.backends, settingAside)
  expect(copies.map(({ value }) => value)).toEqual(records.map(({ value }) => value))
  expect(copies.map((copy) => headersOf(copy))).toMatchObject(
    records.map(({ headers }) => Object.fromEntries(headers)),
  )
  expect(await projectionAt(url, settingAside).retryDeadLetters()).toMatchObject({
    applied: 0,
    failed: letters.map(({ error }) => ({ error })),
  })
  await projector.close()

  const mended = await runningProjector(where, where.mended)
  await stoppedAt(mended.url, stopping)
  await projectionAt(mended.url, stopping).resume()
  const info = await caughtUp(mended.url, stopping)
  expect(info.generations[0]?.deadLetters).toBe(records.length)
  expect(await bought(mended.url, stopping)).toEqual(each(2))
  const positions = (await mended.projector.api.deadLetters(stopping)).map(({ position }) => position)
  expect(positions).toEqual(letters.map(({ position }) => position))
})
