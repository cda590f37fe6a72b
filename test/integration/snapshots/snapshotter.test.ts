import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'

import { Topics } from '#kafka'

import { testClient } from '../../support/services/closing.ts'
import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import { expectSnapshot, folded, snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import {
  runningSnapshotter,
  snapshotsInTopic,
  snapshotterInstallation,
} from '../../support/services/snapshotter-fixture.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningWriter,
  streamPerPartition,
} from '../../support/services/writer-fixture.ts'

const env = { ANNALS_KAFKA_PARTITIONS: '3' }

test('every ten events a stream has a snapshot, in Redis and in the topic, equal to the fold of its events', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const snapshotter = await runningSnapshotter(where, writer)
  const streams = streamPerPartition(where.type, 3)
  const short = freshStream(where.type)
  await client.append(short, purchases(9))
  for (const streamId of streams) {
    await client.append(streamId, purchases(12))
    await snapshotAt(client, streamId, 12)
    // One append past two multiples makes one snapshot.
    await client.append(streamId, purchases(20))
    await snapshotAt(client, streamId, 32)
    await expectSnapshot(client, streamId, 32)
  }
  const inTopic = await snapshotsInTopic(snapshotter, where.type)
  expect([...inTopic.keys()].sort()).toEqual([...streams].sort())
  for (const streamId of streams) {
    const state = await folded(client, streamId, 32)
    expect(inTopic.get(streamId)).toMatchObject({ version: 32, stateVersion: 1, state })
  }
  expect((await client.info(short)).snapshotVersion).toBeUndefined()
  expect(await snapshotter.metric('annals_snapshotter_snapshots_total')).toBe(6)
  expect(await snapshotter.metric('annals_snapshotter_failures_total')).toBe(0)
})

test('the topic of snapshots is compacted and compressed, and has the partitions of the events', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const { backends } = await runningSnapshotter(where, writer)
  const [topic] = await new Topics(backends.cluster).describe([`snapshots.${where.type}`])
  expect(topic).toMatchObject({
    partitions: 3,
    configs: { 'cleanup.policy': 'compact', 'compression.type': 'zstd' },
  })
})

/** Loads by how many events they read after their snapshot. */
async function loadsWithin(metrics: Registry, eventsMax: number): Promise<{ all: number; within: number }> {
  const families = await metrics.getMetricsAsJSON()
  const values = families.find(({ name }) => name === 'annals_writer_load_events')?.values ?? []
  const count = (le: unknown) =>
    values.filter(({ labels }) => labels['le'] === le).reduce((sum, { value }) => sum + value, 0)
  return { all: count('+Inf'), within: count(eventsMax) }
}

test('a load reads no more than N events after its snapshot, however long the stream is', async () => {
  const where = snapshotterInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  await runningSnapshotter(where, writer)
  const streamId = freshStream(where.type)
  for (let version = 1; version <= 60; version++) {
    await client.append(streamId, [purchase(version)])
    if (version % 10 === 0) await snapshotAt(client, streamId, version)
    const { snapshot, events } = await client.load(streamId, { stateVersion: 1 })
    expect(snapshot?.version ?? 0).toBe(version - (version % 10))
    expect(events.length).toBe(version % 10)
  }
  const { all, within } = await loadsWithin(writer.metrics, 10)
  expect(all).toBeGreaterThanOrEqual(60)
  expect(within).toBe(all)
})

test('two instances share the partitions, and each passes on what the other one owns', async () => {
  const where = snapshotterInstallation({ ANNALS_KAFKA_PARTITIONS: '4' })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const instances = [await runningSnapshotter(where, writer), await runningSnapshotter(where, writer)]
  const [one, two] = instances
  await waitFor('each to own two partitions', async () => {
    const owned = await Promise.all(
      instances.map((instance) => instance.metric('annals_snapshotter_owned_partitions')),
    )
    return owned.join() === '2,2'
  })
  const streams = streamPerPartition(where.type, 4)
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(10))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 10)))
  for (const instance of instances)
    expect(await instance.metric('annals_snapshotter_snapshots_total')).toBe(2)

  await Promise.all(streams.map((streamId) => client.append(streamId, [purchase()])))
  for (const streamId of streams) {
    expect(await one?.client.snapshot(streamId)).toMatchObject({ streamId, version: 11, created: true })
    expect(await two?.client.snapshot(streamId)).toMatchObject({ streamId, version: 11, created: false })
    await expectSnapshot(client, streamId, 11)
  }
  // What the one leaves the other one takes up.
  await one?.close()
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(9))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 20)))
})

test('after a restart it goes on from its checkpoint, and does nothing again', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const first = await runningSnapshotter(where, writer)
  const streams = Array.from({ length: 20 }, () => freshStream(where.type))
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(10))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 10)))
  await first.close()
  const [missed = freshStream(where.type)] = streams
  await client.append(missed, purchases(10))

  const second = await runningSnapshotter(where, writer)
  await snapshotAt(client, missed, 20)
  expect(await second.metric('annals_snapshotter_snapshots_total')).toBe(1)
  await waitFor('it to catch up', async () => (await second.metric('annals_snapshotter_lag_events')) === 0)
})

test('when Redis is emptied all snapshots come back by themselves', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  await runningSnapshotter(where, writer)
  const streams = streamPerPartition(where.type, 3)
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(25))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 25)))

  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
  // Nothing is appended: it is the idle owner that notices.
  for (const streamId of streams) {
    await snapshotAt(client, streamId, 25)
    await expectSnapshot(client, streamId, 25)
  }
})

/** Answers each request that it cannot serve now. The requests are counted. */
async function awayWriter(): Promise<{ readonly url: string; readonly asked: () => number }> {
  let asked = 0
  const server = createServer((_, reply) => {
    asked++
    // Longer than a client waits for a next try: each load is one request.
    reply.writeHead(503, { 'retry-after': '60' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

const openSockets = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length

test('while no writer can be reached it tries again and again, and holds on to nothing of its tries', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const away = await awayWriter()
  await runningSnapshotter(where, away)
  const streams = streamPerPartition(where.type, 3)
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(10))))

  await waitFor('a try of each partition', async () => Promise.resolve(away.asked() >= 6))
  const before = openSockets()
  await waitFor('many more', async () => Promise.resolve(away.asked() >= 24), { timeoutMs: 60_000 })
  // Tries that coincide have sockets of their own for a moment; what is held on to stays.
  await waitFor('no more sockets than before', () => Promise.resolve(openSockets() - before <= 3))
})
