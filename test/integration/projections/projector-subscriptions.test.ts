import { expect, onTestFinished, test } from 'vitest'

import { aggregateIdOf, projectionTopic } from '#domain'
import { LogReader } from '#kafka'
import type { Backends } from '#service'

import type { Totals } from '../../../examples/customers/totals.ts'
import { allPurchases, importPurchases } from '../../support/services/cdnow.ts'
import { wideBytes, wideLifetime } from '../../support/services/changed-domain.ts'
import { testClient } from '../../support/services/closing.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { caughtUp, viewsOf } from '../../support/projections/views-check.ts'
import { ViewFollower } from '../../support/projections/view-followers.ts'
import { expectPublished } from '../../support/projections/views-in-log.ts'
import {
  freshStream,
  purchase,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

interface Frame {
  readonly id: string
  readonly data: string
}

/** A plain HTTP client's subscription. It reads only when asked for a frame. */
async function subscription(url: string, name: string, lastEventId?: string): Promise<AsyncGenerator<Frame>> {
  const leaving = new AbortController()
  onTestFinished(() => leaving.abort())
  const response = await fetch(`${url}/projections/${name}/subscribe`, {
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    signal: leaving.signal,
  })
  return framesOf(response)
}

async function* framesOf({ body }: Response): AsyncGenerator<Frame> {
  let text = ''
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, id, data] = /^id: (.*)\nevent: view\ndata: (.*)$/.exec(block) ?? []
      if (id !== undefined && data !== undefined) yield { id, data }
    }
  }
}

async function take(frames: AsyncGenerator<Frame>, count: number): Promise<Frame[]> {
  const taken: Frame[] = []
  while (taken.length < count) {
    const next = await frames.next()
    if (next.done === true) throw new Error(`${taken.length} of ${count} changes came`)
    taken.push(next.value)
  }
  return taken
}

async function changesInTopic({ cluster }: Backends, name: string): Promise<number> {
  const reader = new LogReader(cluster)
  const topic = projectionTopic(name)
  let count = 0
  for (const partition of (await cluster.topic(topic)).partitions.keys()) {
    for await (const records of reader.read(topic, partition, { from: 0 })) count += records.length
  }
  return count
}

test('a subscription resumed from any Last-Event-ID misses nothing and repeats nothing', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4' })
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  const { lifetime } = where.domain.projections
  await importPurchases(testClient({ url: writer.url }), where.type, allPurchases().slice(0, 2_000))
  await expectPublished(where, projector.url)
  const all = await changesInTopic(projector.backends, lifetime)
  expect(all).toBeGreaterThan(300)
  const whole = await take(await subscription(projector.url, lifetime), all)
  const changes = whole.map(({ data }) => data).toSorted()
  for (const after of [1, 7, all >> 1, all - 1]) {
    const resumed = await subscription(projector.url, lifetime, whole[after - 1]?.id)
    const rest = await take(resumed, all - after)
    expect([...whole.slice(0, after), ...rest].map(({ data }) => data).toSorted()).toEqual(changes)
  }
})

test('a subscriber that does not read delays no other, and receives the last state of every view when it does', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4' })
  const wide = { ...where, env: { ...where.env, ...wideLifetime(where) } }
  const writer = await runningWriter(wide)
  const projector = await runningProjector(wide)
  const client = testClient({ url: writer.url, projectionUrls: [projector.url] })
  const { lifetime } = where.domain.projections
  const projection = client.projection<Totals>(lifetime)
  await importPurchases(client, where.type, allPurchases().slice(0, 2_000))
  const { generations } = await caughtUp(projector.url, lifetime)
  const views = generations[0]?.views ?? 0
  // More than any socket buffers for a client that does not read.
  expect(views * wideBytes).toBeGreaterThan(16 << 20)

  const slow = await subscription(projector.url, lifetime)
  const quick = new ViewFollower(projection)
  await waitFor('the other one to have all views', () => Promise.resolve(quick.views.size === views), {
    timeoutMs: 30_000,
  })
  for (let round = 0; round < 10; round++) {
    const streamId = freshStream(where.type)
    await client.append(streamId, [purchase()])
    await waitFor('the other one to receive the change', () =>
      Promise.resolve(quick.views.has(aggregateIdOf(streamId))),
    )
  }
  const last = await viewsOf(projector.url, lifetime)
  await quick.has(last)
  const seen = new Map<string, unknown>()
  for await (const { data } of slow) {
    const { key, view } = JSON.parse(data) as { readonly key: string; readonly view: unknown }
    seen.set(key, view)
    if (seen.size === last.size) break
  }
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(last))
})
