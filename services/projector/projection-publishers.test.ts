import pino from 'pino'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test, vi } from 'vitest'

import { LogError } from '#kafka'

import { generation, projection, TestStore } from '../../test/support/projections/tested-publisher.ts'
import { waitFor } from '../../test/support/stack/stack.ts'
import { ChangelogPublisher } from './changelog/index.ts'
import { GenerationWatch } from './generation-watch.ts'
import { ProjectionPublishers } from './projection-publishers.ts'

const place = { topic: 'eventstore.order', partition: 0 }

/** Publishers without Kafka, and what they log. They end with the test. */
async function publishersOf(changelog: boolean) {
  const store = new TestStore()
  const set = { projection, generation: 'g1' }
  await store.prepare(projection)
  await store.generations.add(projection, generation('g1'))
  const lines: string[] = []
  const unavailable = () => Promise.reject(new LogError('unavailable', 'no broker'))
  const publishers = new ProjectionPublishers({
    cluster: { topic: unavailable } as never,
    codec: undefined as never,
    store,
    watch: new GenerationWatch(store.generations),
    feed: { endOffset: unavailable },
    projections: [projection],
    settings: { changelog, kafka: { partitions: 1, messageBytesMax: 1_000 } } as never,
    metrics: new Registry(),
    logger: pino({}, { write: (line: string) => lines.push(line) }),
  })
  onTestFinished(() => publishers.revoke([place]))
  const messages = () => lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
  return { store, set, publishers, messages }
}

test('a publisher that cannot take over its changelog does not report that it took over', async () => {
  const { publishers, messages } = await publishersOf(true)
  publishers.assign([place])
  const failed = 'projection counts: publishing its views failed, retrying'
  await waitFor('two failures', () =>
    Promise.resolve(messages().filter((message) => message === failed).length >= 2),
  )
  expect(new Set(messages())).toEqual(new Set([failed]))
})

test('without a changelog views count as published, and no take-over is reported', async () => {
  const { store, set, publishers, messages } = await publishersOf(false)
  publishers.assign([place])
  await store.change(set, 'a', '1')
  await waitFor('the view to count as published', async () => {
    const [serving] = await store.generations.list(projection)
    return serving?.unpublished === 0
  })
  expect(messages()).toEqual([])
})

test('a commit wakes the publisher of its projection, until its partition is revoked', async () => {
  const wake = vi.spyOn(ChangelogPublisher.prototype, 'wake')
  onTestFinished(() => wake.mockRestore())
  const { publishers } = await publishersOf(false)
  publishers.assign([place])
  await waitFor('a wake', () => {
    publishers.wake('counts')
    return Promise.resolve(wake.mock.calls.length > 0)
  })
  await publishers.revoke([place])
  wake.mockClear()
  publishers.wake('counts')
  expect(wake).not.toHaveBeenCalled()
})
