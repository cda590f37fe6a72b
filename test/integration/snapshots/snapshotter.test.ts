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
  snapshottedInstallation,
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

test('a stream gets a snapshot every ten events, in Redis and in the topic, equal to the fold of its events', async () => {
  const { where, client, snapshotter } = await snapshottedInstallation(env)
  const streams = streamPerPartition(where.type, 3)
  const short = freshStream(where.type)
  await client.append(short, purchases(9))
  for (const streamId of streams) {
    await client.append(streamId, purchases(12))
    await snapshotAt(client, streamId, 12)
    // One append past two multiples of ten takes one snapshot.
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

test('the snapshot topic is compacted, compressed, and partitioned like the events', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const { backends } = await runningSnapshotter(where, writer)
  const [topic] = await new Topics(backends.cluster).describe([`snapshots.${where.type}`])
  expect(topic).toMatchObject({
    partitions: 3,
    configs: { 'cleanup.policy': 'compact', 'compression.type': 'zstd' },
  })
})

/** The numbers of loads by how many events they read after their snapshot. */
async function loadsWithin(metrics: Registry, eventsMax: number): Promise<{ all: number; within: number }> {
  const families = await metrics.getMetricsAsJSON()
  const values = families.find(({ name }) => name === 'annals_writer_load_events')?.values ?? []
  const count = (le: unknown) =>
    values.filter(({ labels }) => labels['le'] === le).reduce((sum, { value }) => sum + value, 0)
  return { all: count('+Inf'), within: count(eventsMax) }
}

test('a load reads at most N events after its snapshot, however long the stream is', async () => {
  const { where, writer, client } = await snapshottedInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
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

test('two instances share the partitions, and each forwards requests for the other’s', async () => {
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
  // When one instance leaves, the other takes over its partitions.
  await one?.close()
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(9))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 20)))
})

test('after a restart it resumes from its checkpoint and repeats nothing', async () => {
  const { where, writer, client, snapshotter: first } = await snapshottedInstallation(env)
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

test('after Redis is emptied all snapshots are restored automatically', async () => {
  const { where, client } = await snapshottedInstallation(env)
  const streams = streamPerPartition(where.type, 3)
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(25))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 25)))

  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
  // Nothing is appended: the idle owner notices.
  for (const streamId of streams) {
    await snapshotAt(client, streamId, 25)
    await expectSnapshot(client, streamId, 25)
  }
})

/** Answers every request with unavailable and counts the requests. */
async function awayWriter(): Promise<{ readonly url: string; readonly asked: () => number }> {
  let asked = 0
  const server = createServer((_, reply) => {
    asked++
    // Longer than a client waits before a retry, so each load is one request.
    reply.writeHead(503, { 'retry-after': '60' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

const openSockets = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length

test('while no writer is reachable it keeps retrying and leaks no sockets', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const away = await awayWriter()
  await runningSnapshotter(where, away)
  const streams = streamPerPartition(where.type, 3)
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(10))))

  await waitFor('a try of each partition', async () => Promise.resolve(away.asked() >= 6))
  const before = openSockets()
  await waitFor('many more tries', async () => Promise.resolve(away.asked() >= 24), { timeoutMs: 60_000 })
  // Concurrent tries briefly have their own sockets; leaked ones would stay.
  await waitFor('no more sockets than before', () => Promise.resolve(openSockets() - before <= 3))
})
