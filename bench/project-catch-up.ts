import { randomUUID } from 'node:crypto'

import pino from 'pino'
import { Counter, Registry } from 'prom-client'

import type { Projection } from '#domain'
import type { ViewStore } from '#projections'
import { PostgresViewStore } from '#projections-postgres'
import { RedisViewStore } from '#projections-redis'
import { connectRedis } from '#redis-index'
import { redisSettings } from '#service'

import { Projector, projectorSettings } from '../services/projector/index.ts'
import { type Closing, withClosing } from './closing.ts'
import type { RunningWriter } from './contenders/core.ts'
import { measureProgress, type ProgressRate, untilAtLeast } from './project-progress.ts'

/** One measurement: the projections that one process builds together, and their store. */
export interface CatchUpCase {
  readonly projections: readonly ('customer-lifetime' | 'monthly-revenue')[]
  readonly store: 'redis' | 'postgres'
  readonly changelog: boolean
}

export interface CatchUpResult extends ProgressRate {
  /** The same, until the changelog is complete too. */
  readonly publishedPerSecond: number
}

export interface CatchUpParts {
  readonly writer: RunningWriter
  readonly postgresUrl: string
  /** Events in the topic. */
  readonly total: number
}

/** A projector in this process builds projections from nothing, with their own keys. */
export function catchUp(parts: CatchUpParts, what: CatchUpCase): Promise<CatchUpResult> {
  return withClosing(async (closing) => {
    const name = `bench-${randomUUID()}`
    const { backends, config } = parts.writer
    const projections = backends.domain.projections.filter((each) =>
      what.projections.some((one) => one === each.name),
    )
    const store = await openStore(parts, what, name, closing)
    const metrics = new Registry()
    const projector = new Projector({
      ...backends,
      domain: { ...backends.domain, projections },
      store,
      advertisedUrl: config.http.advertisedUrl,
      verifyPeer: () => Promise.resolve('verified'),
      onForeign: () => undefined,
      settings: { ...projectorSettings(config), groupId: name, changelog: what.changelog },
      metrics,
      logger: pino({ level: 'warn' }),
    })
    await projector.start()
    closing(() => projector.stop())
    const rate = await measureProgress(parts.total, () => applied(metrics, projections))
    const appliedMs = (parts.total / rate.perSecond) * 1_000
    const startMs = performance.now()
    await untilAtLeast(0, async () => -(await unpublished(store, projections)))
    const publishedMs = appliedMs + performance.now() - startMs
    await check(store, projections, parts.total)
    return { ...rate, publishedPerSecond: Math.round((parts.total / publishedMs) * 1_000) }
  })
}

async function openStore(
  { writer, postgresUrl }: CatchUpParts,
  { store }: CatchUpCase,
  name: string,
  closing: Closing,
): Promise<ViewStore> {
  if (store === 'postgres') {
    const opened = PostgresViewStore.open({ url: postgresUrl, schema: name })
    closing(() => opened.close())
    return opened
  }
  const redis = connectRedis({ ...redisSettings(writer.config), keyPrefix: name })
  closing(() => redis.close())
  await redis.ready()
  return new RedisViewStore(redis)
}

/** Events that all of the projections have applied. */
async function applied(metrics: Registry, projections: readonly Projection[]): Promise<number> {
  const counter = metrics.getSingleMetric('annals_projector_events_total')
  if (!(counter instanceof Counter)) throw new Error('the projector does not count events')
  const { values } = await counter.get()
  const counts = projections.map(({ name }) =>
    values.reduce((sum, { labels, value }) => (labels['projection'] === name ? sum + value : sum), 0),
  )
  return Math.min(...counts)
}

async function unpublished(store: ViewStore, projections: readonly Projection[]): Promise<number> {
  const states = await Promise.all(projections.map((projection) => store.generations.list(projection)))
  return states.flat().reduce((sum, state) => sum + state.unpublished, 0)
}

/** Checks that each event counts once in each projection; otherwise the figures are meaningless. */
async function check(store: ViewStore, projections: readonly Projection[], total: number): Promise<void> {
  for (const projection of projections) {
    let purchases = 0
    let cursor: { readonly key: string } | undefined
    do {
      const query = { descending: false, limit: 1_000, ...(cursor && { cursor }) }
      const page = await store.views.page(projection, query)
      if (page.outcome !== 'found') throw new Error(`${projection.name} has no views`)
      for (const { json } of page.found.views)
        purchases += (JSON.parse(json) as { purchases: number }).purchases
      cursor = page.found.next
    } while (cursor !== undefined)
    if (purchases !== total)
      throw new Error(`${projection.name} has ${purchases} purchases instead of ${total}`)
  }
}
