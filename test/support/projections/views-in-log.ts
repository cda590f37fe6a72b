import { expect, vi } from 'vitest'

import { AnnalsClient } from '#client'
import { loadConfig } from '#config'
import { aggregateIdOf, type Position, position, projectionTopic } from '#domain'
import { LogReader } from '#kafka'
import { type Backends, openBackends } from '#service'

import type { CdnowPurchase } from '../../../examples/customers/cdnow.ts'
import type { Totals } from '../../../examples/customers/totals.ts'
import type { PurchaseMade } from '../../../schemas/customer/events.generated.ts'
import { expectedLifetimes, expectedMonths } from '../services/cdnow.ts'
import { readLog } from '../append/log-check.ts'
import type { Installation } from '../services/real-writer.ts'
import { caughtUp, viewsOf } from './views-check.ts'

/** A purchase in the log. */
interface LoggedPurchase extends CdnowPurchase {
  readonly position: Position
  /** ISO 8601 */
  readonly timestamp: string
}

/** Works with direct connections to the backends. */
async function pastServices<T>({ env }: Installation, work: (backends: Backends) => Promise<T>): Promise<T> {
  const backends = await openBackends(loadConfig(env))
  try {
    return await work(backends)
  } finally {
    await backends.close()
  }
}

/** All purchases in the log, in order by partition. */
export function loggedPurchases(where: Installation): Promise<LoggedPurchase[]> {
  return pastServices(where, async ({ codec }) => {
    const stored = (await readLog(where)).flatMap(({ topic, partition, events }) =>
      events.map((event) => ({ ...event, position: position(topic, partition, event.offset) })),
    )
    const decoded = await codec.decodeMany(stored.map(({ value }) => value))
    return stored.map((event, index) => ({
      ...(decoded[index]?.data as PurchaseMade),
      customerId: aggregateIdOf(event.streamId),
      position: event.position,
      timestamp: event.timestamp,
    }))
  })
}

/** The last view of each key in a projection's topic, without deleted ones. */
function publishedViews(where: Installation, name: string): Promise<Map<string, unknown>> {
  return pastServices(where, async ({ cluster, codec }) => {
    const topic = projectionTopic(name)
    const views = new Map<string, unknown>()
    const reader = new LogReader(cluster)
    for (const partition of (await cluster.topic(topic)).partitions.keys()) {
      for await (const records of reader.read(topic, partition, { from: 0 })) {
        const values = records.flatMap(({ value }) => (value === null ? [] : [value]))
        const decoded = (await codec.decodeMany(values)).values()
        for (const { key, value } of records) {
          if (value === null) views.delete(key.toString())
          else views.set(key.toString(), decoded.next().value?.data)
        }
      }
    }
    return views
  })
}

const sorted = (views: ReadonlyMap<string, unknown>) => Object.fromEntries([...views].sort())

/** Waits until the projections have applied the whole log. Expects that views, their order and checkpoints equal a fold of the log. */
export async function expectViewsOfLog(where: Installation, url: string): Promise<void> {
  const { lifetime, monthly } = where.domain.projections
  // A writer that takes over a partition appends a marker. Then both are read again.
  await vi.waitFor(() => expectCheckpointsAtEnds(where, url), { timeout: 60_000, interval: 200 })
  const purchases = await loggedPurchases(where)
  const lifetimes = expectedLifetimes(purchases)
  expect(sorted(await viewsOf(url, lifetime)), 'views by stream').toEqual(sorted(lifetimes))
  expect(sorted(await viewsOf(url, monthly)), 'views across streams').toEqual(
    sorted(expectedMonths(purchases)),
  )
  expect(await topTen(url, lifetime), 'top ten by spend').toEqual(topTenOf(lifetimes))
}

async function expectCheckpointsAtEnds(where: Installation, url: string): Promise<void> {
  const { lifetime, monthly } = where.domain.projections
  const infos = [await caughtUp(url, lifetime), await caughtUp(url, monthly)]
  const ends = (await readLog(where)).map(({ partition, endOffset }) => [partition, endOffset])
  for (const { generations } of infos) {
    const places = generations[0]?.partitions.map(({ partition, checkpoint }) => [partition, checkpoint])
    expect(places, 'checkpoints').toEqual(ends)
  }
}

/** Waits until the projections have applied the whole log, and their topics have the same views as the HTTP API. */
export async function expectPublished(where: Installation, url: string): Promise<void> {
  const { lifetime, monthly } = where.domain.projections
  for (const name of [lifetime, monthly]) {
    await caughtUp(url, name)
    const views = sorted(await viewsOf(url, name))
    const compare = async () => {
      expect(sorted(await publishedViews(where, name)), `the topic of ${name}`).toEqual(views)
    }
    await vi.waitFor(compare, { timeout: 30_000, interval: 200 })
  }
}

/** Keys and spend of the ten customers who spent most. */
export async function topTen(url: string, name: string): Promise<(readonly [string, number])[]> {
  const client = new AnnalsClient({ url, direct: false })
  try {
    const query = { orderBy: 'spend', descending: true, limit: 10 }
    const { views } = await client.projection<Totals>(name).list(query)
    return views.map(({ key, view }) => [key, Number(view.spend)] as const)
  } finally {
    await client.close()
  }
}

const topTenOf = (lifetimes: ReadonlyMap<string, Totals>): (readonly [string, number])[] =>
  [...lifetimes]
    .map(([key, { spend }]) => [key, Number(spend)] as const)
    .sort(([key, spend], [otherKey, otherSpend]) => otherSpend - spend || (key < otherKey ? 1 : -1))
    .slice(0, 10)
