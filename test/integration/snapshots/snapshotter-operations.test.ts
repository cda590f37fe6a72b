import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'

import type { AnnalsClient } from '#client'
import { eventTopic, partitionFor, type StreamId, type Version } from '#domain'
import { PartitionIndex } from '#redis-index'

import { testClient } from '../../support/services/closing.ts'
import { expectSnapshot, folded, snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import {
  type RealSnapshotter,
  runningSnapshotter,
  snapshotsInTopic,
  snapshotterInstallation,
  withCustomer,
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

/** Writes a snapshot into the index behind the snapshotter's back. */
async function plant(
  { backends }: Pick<RealSnapshotter, 'backends'>,
  streamId: StreamId,
  version: number,
  state: Buffer,
  partitions = 3,
): Promise<void> {
  const aggregateType = streamId.slice(0, streamId.indexOf('.'))
  const index = new PartitionIndex(backends.redis, {
    topic: eventTopic(aggregateType),
    partition: partitionFor(streamId, partitions),
    aggregateType,
    snapshotTtlSeconds: 60,
    rememberedIdsMax: 1_000,
  })
  const snapshot = { version: version as Version, stateVersion: 1, timestampMs: Date.now(), state }
  expect(await index.saveSnapshot(streamId, snapshot)).toBe(true)
}

const wrongState = { purchases: 0, cds: 0, spend: '0.00', first: null, last: null }

const rebuilt = (client: AnnalsClient, type: string) =>
  waitFor('the rebuild to be done', async () => {
    const progress = await client.snapshotRebuild(type)
    return progress.status === 'done' && progress
  })

test('a snapshot is taken on demand, even of a short stream', async () => {
  const { where, client, snapshotter } = await snapshottedInstallation(env)
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(3))
  const post = () =>
    fetch(`${snapshotter.url}/streams/${streamId}/snapshot`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
  const first = await post()
  const taken = (await first.json()) as { bytes: number; tookMs: number }
  expect(first.status).toBe(201)
  expect(taken).toMatchObject({ streamId, version: 3, stateVersion: 1, created: true })
  expect(taken.bytes).toBe((await snapshotsInTopic(snapshotter, where.type)).get(streamId)?.bytes)
  expect(taken.tookMs).toBeGreaterThanOrEqual(0)
  await expectSnapshot(client, streamId, 3)
  expect((await post()).status).toBe(200)
})

test('a snapshot of an unknown stream, or of a type without snapshots, is rejected', async () => {
  const where = snapshotterInstallation(env, 2)
  const [type = '', bare = ''] = where.domain.types
  const without = withCustomer(
    where,
    `type === '${bare}' ? { ...customer, snapshot: { every: 10, stateVersion: 1 } } : customer`,
  )
  const writer = await runningWriter(without)
  const { client } = await runningSnapshotter(without, writer)
  await expect(client.snapshot(freshStream(type))).rejects.toMatchObject({ code: 'stream-not-found' })
  await expect(client.snapshot('no-such-type.1')).rejects.toMatchObject({ code: 'category-not-found' })
  await expect(client.snapshot(freshStream(bare))).rejects.toMatchObject({ code: 'invalid-request' })
  expect((await client.snapshots()).map(({ aggregateType }) => aggregateType)).toEqual([type])
  await expect(client.cleanUpSnapshots(bare)).rejects.toMatchObject({ code: 'invalid-request' })
  await expect(client.rebuildSnapshots('no-such-type')).rejects.toMatchObject({ code: 'category-not-found' })
})

test('a raised state version retakes all snapshots; old ones are neither used nor restored by an outdated instance', async () => {
  const where = snapshotterInstallation(env)
  const old = { writer: await runningWriter(where), streams: streamPerPartition(where.type, 3) }
  const oldClient = testClient({ url: old.writer.url })
  const oldSnapshotter = await runningSnapshotter(where, old.writer)
  await Promise.all(old.streams.map((streamId) => oldClient.append(streamId, purchases(10))))
  await Promise.all(old.streams.map((streamId) => snapshotAt(oldClient, streamId, 10)))
  await oldSnapshotter.close()
  await old.writer.close()

  const raised = withCustomer(
    where,
    `{ ...customer, snapshot: { ...customer.snapshot, stateVersion: 2 },
       evolve: (state, event) => ({ ...customer.evolve(state, event), cds: state.cds + 2 * event.data.cds }) }`,
  )
  const writer = await runningWriter(raised)
  const client = testClient({ url: writer.url })
  for (const streamId of old.streams) {
    const { snapshot, events } = await client.load(streamId, { stateVersion: 2 })
    expect({ snapshot, events: events.length }).toEqual({ snapshot: undefined, events: 10 })
    expect((await client.state(streamId)).state).toMatchObject({ cds: 110 })
  }
  const snapshotter = await runningSnapshotter(raised, writer)
  const isNew = async (streamId: StreamId) =>
    (await client.load(streamId, { stateVersion: 2 })).snapshot?.stateVersion === 2
  for (const streamId of old.streams) {
    await waitFor(`a new snapshot of ${streamId}`, () => isNew(streamId))
    expect((await client.state(streamId)).state).toMatchObject({ cds: 110 })
  }
  await snapshotter.close()

  const leftBehind = await runningSnapshotter(where, writer)
  await Promise.all(old.streams.map((streamId) => client.append(streamId, purchases(10))))
  const once = testClient({ url: leftBehind.url, direct: false, retries: { triesMax: 1 } })
  for (const streamId of old.streams) {
    await expect(once.snapshot(streamId)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await isNew(streamId)).toBe(true)
  }
  expect(await leftBehind.metric('annals_snapshotter_snapshots_total')).toBe(0)
}, 90_000)

test('a state that does not fit its schema loses only its own snapshot', async () => {
  const where = snapshotterInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  const misfit = withCustomer(
    where,
    `{ ...customer, evolve: (state, event) => {
         const next = customer.evolve(state, event)
         return event.data.cds === 666 ? { ...next, cds: 'many' } : next
       } }`,
  )
  const writer = await runningWriter(misfit)
  const client = testClient({ url: writer.url })
  const snapshotter = await runningSnapshotter(misfit, writer)
  const [bad, good] = [freshStream(where.type), freshStream(where.type)]
  await client.append(bad, [...purchases(9), purchase(666)])
  await client.append(good, purchases(10))
  await snapshotAt(client, good, 10)
  expect((await client.info(bad)).snapshotVersion).toBeUndefined()
  await waitFor(
    'its failure to be counted',
    async () => (await snapshotter.metric('annals_snapshotter_failures_total')) === 1,
  )
  await expect(snapshotter.client.snapshot(bad)).rejects.toMatchObject({
    code: 'invalid-state',
    details: { path: 'state.cds' },
  })
})

test('an unreadable snapshot is ignored and replaced by the next one', async () => {
  const { where, client, snapshotter } = await snapshottedInstallation(env)
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(12))
  await snapshotAt(client, streamId, 12)
  for (const state of [Buffer.from('garbage'), Buffer.from([0, 0, 0, 0, 1, 2]), Buffer.from([])]) {
    await plant(snapshotter, streamId, 12, state)
    const { snapshot, events } = await client.load(streamId, { stateVersion: 1 })
    expect({ snapshot, events: events.length }).toEqual({ snapshot: undefined, events: 12 })
    expect((await client.state(streamId)).state).toEqual(await folded(client, streamId, 12))
  }
  await client.append(streamId, purchases(8))
  await snapshotAt(client, streamId, 20)
  await expectSnapshot(client, streamId, 20)
})

test('a rebuild folds all snapshots from events alone and reports its progress', async () => {
  const { where, client, snapshotter } = await snapshottedInstallation(env)
  const streams = streamPerPartition(where.type, 3)
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(15))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 15)))
  const wrong = snapshotter.backends.codec.encode(where.type, 'CustomerState', wrongState, 'snapshot')
  for (const streamId of streams) {
    await plant(snapshotter, streamId, 15, wrong)
    expect((await client.load(streamId, { stateVersion: 1 })).snapshot?.state).toEqual(wrongState)
  }
  expect((await snapshotter.client.snapshotRebuild(where.type)).status).toBe('none')
  expect(await snapshotter.client.rebuildSnapshots(where.type)).toMatchObject({ status: 'running', done: 0 })
  const done = await rebuilt(snapshotter.client, where.type)
  expect(done.done).toBe(done.total)
  expect(done.total).toBeGreaterThanOrEqual(45)
  for (const streamId of streams) await expectSnapshot(client, streamId, 15)
  // From here on snapshots build on snapshots again.
  await client.append(streams[0] ?? '', purchases(5))
  await snapshotAt(client, streams[0] ?? freshStream(where.type), 20)
  expect((await snapshotter.client.snapshots())[0]?.rebuild).toMatchObject({ status: 'done' })
})

test('a rebuild of long streams takes one snapshot of each, folded as the log is read', async () => {
  const where = snapshotterInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const streams = Array.from({ length: 20 }, () => freshStream(where.type))
  // Far more events than a snapshotter leaves unread before it folds.
  for (let part = 0; part < 5; part++)
    await Promise.all(streams.map((streamId) => client.append(streamId, purchases(151))))
  const snapshotter = await runningSnapshotter(where, writer)
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 755)))
  expect(await snapshotter.metric('annals_snapshotter_snapshots_total')).toBe(20)
  const wrong = snapshotter.backends.codec.encode(where.type, 'CustomerState', wrongState, 'snapshot')
  for (const streamId of streams) await plant(snapshotter, streamId, 755, wrong, 1)
  await snapshotter.client.rebuildSnapshots(where.type)
  await rebuilt(snapshotter.client, where.type)
  for (const streamId of streams) await expectSnapshot(client, streamId, 755)
  expect(await snapshotter.metric('annals_snapshotter_snapshots_total')).toBe(40)
}, 90_000)

test('statistics report number, size and age of snapshots, and a cleanup deletes the outdated ones', async () => {
  const where = snapshotterInstallation(env)
  const before = await runningWriter(where)
  const first = await runningSnapshotter(where, before)
  const client = testClient({ url: before.url })
  const streams = streamPerPartition(where.type, 3)
  const short = streams.map(() => freshStream(where.type))
  await Promise.all(streams.map((streamId) => client.append(streamId, purchases(10))))
  await Promise.all(short.map((streamId) => client.append(streamId, purchases(2))))
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 10)))
  for (const streamId of short) await first.client.snapshot(streamId)
  const inTopic = [...(await snapshotsInTopic(first, where.type)).values()]
  const times = inTopic.map(({ timestampMs }) => new Date(timestampMs).toISOString()).sort()
  const [stats] = await first.client.snapshots()
  expect(stats).toMatchObject({
    aggregateType: where.type,
    every: 10,
    stateVersion: 1,
    count: 6,
    outdated: 0,
    bytes: inTopic.reduce((sum, { bytes }) => sum + bytes, 0),
    oldest: times[0],
    newest: times.at(-1),
    builds: { count: 6 },
    rebuild: { status: 'none' },
  })
  expect(stats?.builds.maxMs).toBeGreaterThanOrEqual(stats?.builds.meanMs ?? Infinity)
  await first.close()

  const raised = withCustomer(where, '{ ...customer, snapshot: { ...customer.snapshot, stateVersion: 2 } }')
  const second = await runningSnapshotter(raised, before)
  // Streams of ten events get a new snapshot; short ones keep an outdated one.
  await waitFor('the new ones to be taken', async () => {
    return (await second.metric('annals_snapshotter_snapshots_total')) === 3
  })
  expect((await second.client.snapshots())[0]).toMatchObject({ count: 6, outdated: 3 })
  expect(await second.client.cleanUpSnapshots(where.type)).toEqual({ aggregateType: where.type, removed: 3 })
  expect([...(await snapshotsInTopic(second, where.type)).keys()].sort()).toEqual([...streams].sort())
  expect(await second.client.cleanUpSnapshots(where.type)).toMatchObject({ removed: 0 })
}, 90_000)

test('outdated snapshots are deleted periodically', async () => {
  const { where, writer, client, snapshotter: first } = await snapshottedInstallation(env)
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(2))
  await first.client.snapshot(streamId)
  expect((await snapshotsInTopic(first, where.type)).size).toBe(1)
  await first.close()
  const raised = withCustomer(where, '{ ...customer, snapshot: { ...customer.snapshot, stateVersion: 2 } }')
  const second = await runningSnapshotter(raised, writer, { cleanupIntervalMs: 200 })
  await waitFor('the cleanup', async () => (await snapshotsInTopic(second, where.type)).size === 0)
})

test('the HTTP API has a valid OpenAPI document', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const { url } = await runningSnapshotter(where, writer)
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> }
  expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true })
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      '/streams/{id}/snapshot',
      '/snapshots',
      '/snapshots/{type}/rebuild',
      '/snapshots/{type}/cleanup',
    ]),
  )
})
