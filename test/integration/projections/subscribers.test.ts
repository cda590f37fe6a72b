import { setTimeout as pause } from 'node:timers/promises'

import { expect, onTestFinished, test } from 'vitest'

import { allPurchases, importPurchases } from '../../support/services/cdnow.ts'
import { wideBytes, wideLifetime } from '../../support/services/changed-domain.ts'
import { testClient } from '../../support/services/closing.ts'
import { connectionsTo } from '../../support/http/process-connections.ts'
import { startServiceProcess } from '../../support/services/service-process.ts'
import { watchHeldUp } from '../../support/proxies/held-up.ts'
import { silentReader } from '../../support/http/silent-reader.ts'
import { SseReader } from '../../support/http/sse-reader.ts'
import { testStack, waitFor } from '../../support/stack/stack.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import { expectPublished } from '../../support/projections/views-in-log.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const partitions = 8
const linux = test.runIf(process.platform === 'linux')

/** Counts the events that a subscriber of a category has received, and checks that versions are contiguous. */
class CategoryReader {
  events = 0
  readonly faults: string[] = []
  readonly reader: SseReader
  readonly #versions = new Map<string, number>()

  constructor(url: string) {
    this.reader = new SseReader(url, ({ event, data }) => this.#take(event, data))
  }

  #take(event: string, data: string): void {
    if (event !== 'event') this.faults.push(data)
    const { streamId, version } = JSON.parse(data) as { streamId: string; version: number }
    const before = this.#versions.get(streamId) ?? 0
    if (version !== before + 1) this.faults.push(`${streamId}: ${version} after ${before}`)
    this.#versions.set(streamId, version)
    this.events++
  }
}

linux(
  '300 subscribers of a category and 300 of a projection share a few connections and receive everything',
  async () => {
    const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) })
    const platform = await startServiceProcess('platform', where)
    onTestFinished(() => platform.stop())
    const client = testClient({ url: platform.url })
    const streams = streamPerPartition(where.type, partitions)
    const appendToAll = (count: number) =>
      Promise.all(streams.map((streamId) => client.append(streamId, purchases(count))))
    await appendToAll(50)
    const { lifetime } = where.domain.projections
    await expectPublished(where, platform.url)
    const port = Number(new URL(`tcp://${testStack().kafkaBrokers[0]}`).port)
    const before = connectionsTo(platform.pid, port)

    const ofCategory = Array.from(
      { length: 300 },
      () => new CategoryReader(`${platform.url}/categories/${where.type}/subscribe`),
    )
    const views = Array.from({ length: 300 }, () => new Map<string, string>())
    const ofViews = views.map(
      (seen) =>
        new SseReader(`${platform.url}/projections/${lifetime}/subscribe`, ({ data }) => {
          const { key } = JSON.parse(data) as { key: string }
          seen.set(key, data)
        }),
    )
    const haveAll = (count: number) => () =>
      Promise.resolve(ofCategory.every(({ events }) => events >= count))
    await waitFor('all subscribers to have the past events', haveAll(partitions * 50), { timeoutMs: 40_000 })
    for (let round = 0; round < 5; round++) await appendToAll(10)
    await waitFor('all subscribers to have the later events', haveAll(partitions * 100), {
      timeoutMs: 40_000,
    })
    await waitFor(
      'all subscribers to have the last views',
      () =>
        Promise.resolve(
          new Set(views.map((seen) => JSON.stringify([...seen].sort()))).size === 1 &&
            views[0]?.size === partitions,
        ),
      { timeoutMs: 20_000 },
    )

    // One for the head of each partition, and a pool for subscribers that are behind: for events and for views.
    expect(connectionsTo(platform.pid, port) - before).toBeLessThanOrEqual(2 * (partitions + 4))
    for (const { events, faults, reader } of ofCategory)
      expect([events, faults, reader.status]).toEqual([partitions * 100, [], 200])
    for (const { end, status } of ofViews) expect([end, status]).toEqual([undefined, 200])
  },
  120_000,
)

test('sixty subscribers that do not read a large projection cost no more memory than their bound', async () => {
  const bytesMax = 4 << 20
  const where = testInstallation({
    ANNALS_KAFKA_PARTITIONS: '4',
    ANNALS_SUBSCRIBERS_BYTES_MAX: '4MiB',
    ANNALS_UNREAD_BYTES_MAX: '4MiB',
  })
  const wide = { ...where, env: { ...where.env, ...wideLifetime(where) } }
  const writer = await runningWriter(wide)
  const projector = await runningProjector(wide)
  const client = testClient({ url: writer.url, projectionUrls: [projector.url] })
  const { lifetime } = where.domain.projections
  await importPurchases(client, where.type, allPurchases().slice(0, 2_000))
  const { generations } = await caughtUp(projector.url, lifetime)
  const count = generations[0]?.views ?? 0
  expect(count * wideBytes).toBeGreaterThan(4 * bytesMax)

  for (let n = 0; n < 60; n++) await silentReader(projector.url, `/projections/${lifetime}/subscribe`)
  const most = { unsent: 0, kept: 0 }
  const look = async () => {
    const text = await fetch(`${projector.url}/metrics`).then((response) => response.text())
    const valueOf = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
    most.unsent = Math.max(most.unsent, valueOf('annals_http_unread_bytes'))
    most.kept = Math.max(most.kept, valueOf('annals_projector_subscription_bytes'))
  }
  const seen = new Set<string>()
  const reader = new SseReader(`${projector.url}/projections/${lifetime}/subscribe`, ({ data }) => {
    seen.add((JSON.parse(data) as { key: string }).key)
  })
  await waitFor('the reading subscriber to have all views', async () => (await look(), seen.size === count), {
    timeoutMs: 40_000,
  })
  expect(reader.end).toBeUndefined()
  expect(most.kept).toBeGreaterThan(0)
  expect(most.kept).toBeLessThanOrEqual(bytesMax)
  expect(most.unsent).toBeGreaterThan(0)
  expect(most.unsent).toBeLessThanOrEqual(bytesMax)
}, 120_000)

test('forty concurrent states of a long stream leave the event loop free for health checks and appends', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const streamId = freshStream(where.type)
  for (let n = 0; n < 20; n++) await client.append(streamId, purchases(1_000))
  const { lastTimestamp } = await client.info(streamId)
  await fetch(`${writer.url}/streams/${streamId}/state?at=${lastTimestamp}`).then((answer) => answer.text())

  const heldUpMs = watchHeldUp()
  const over = new AbortController()
  const health: number[] = []
  const looking = (async () => {
    while (!over.signal.aborted) {
      const startMs = performance.now()
      expect((await fetch(`${writer.url}/health/live`)).status).toBe(200)
      health.push(performance.now() - startMs)
      await pause(10)
    }
  })()
  const states = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const query = n % 2 === 0 ? `at=${lastTimestamp}` : 'version=20000'
      const answer = await fetch(`${writer.url}/streams/${streamId}/state?${query}`)
      return { status: answer.status, body: (await answer.json()) as { version: number } }
    }),
  )
  over.abort()
  await looking
  const served = states.filter(({ status }) => status === 200)
  expect(served.length).toBeGreaterThan(0)
  for (const { body } of served) expect(body.version).toBe(20_000)
  // The others waited too long and report it.
  expect(states.filter(({ status }) => ![200, 503].includes(status))).toEqual([])
  const figures = JSON.stringify({
    served: served.length,
    health: health.length,
    healthMs: health.toSorted((a, b) => b - a).slice(0, 3),
  })
  expect(heldUpMs(), figures).toBeLessThan(120)
  expect(health.length, figures).toBeGreaterThan(20)
}, 180_000)
