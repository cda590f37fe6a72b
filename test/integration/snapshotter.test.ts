import { expect, test } from 'vitest'

import type { AnnalsClient } from '#client'
import { fold, type LoadedStream, type StreamId } from '#domain'

import { customer } from '../../examples/customers/customer.ts'
import type { CustomerEvent } from '../../schemas/customer/events.generated.ts'
import { testClient } from '../support/closing.ts'
import { waitFor } from '../support/stack.ts'
import {
  runningSnapshotter,
  snapshotsInTopic,
  snapshotterInstallation,
  valueOf,
} from '../support/snapshotter-fixture.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningWriter,
  streamPerPartition,
} from '../support/writer-fixture.ts'

const env = { ANNALS_KAFKA_PARTITIONS: '3' }

const load = (client: AnnalsClient, streamId: StreamId, stateVersion = 1): Promise<LoadedStream> =>
  client.load(streamId, { stateVersion })

const snapshotAt = (client: AnnalsClient, streamId: StreamId, version: number) =>
  waitFor(
    `${streamId} to have a snapshot at version ${version}`,
    async () => (await client.info(streamId)).snapshotVersion === version,
  )

/** The state as the events tell it. */
async function folded(client: AnnalsClient, streamId: StreamId, toVersion: number) {
  const events = await Array.fromAsync(client.readAll(streamId))
  return fold(customer, events.slice(0, toVersion) as unknown as CustomerEvent[])
}

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
    for (let version = 33; version <= 39; version++) await client.append(streamId, [purchase(version)])
    const { snapshot, events, version } = await load(client, streamId)
    expect(snapshot).toMatchObject({ streamId, version: 32, stateVersion: 1 })
    expect(snapshot?.state).toEqual(await folded(client, streamId, 32))
    expect({ version, events: events.map((event) => event.version) }).toEqual({
      version: 39,
      events: [33, 34, 35, 36, 37, 38, 39],
    })
  }
  const inTopic = await snapshotsInTopic(snapshotter, where.type)
  expect([...inTopic.keys()].sort()).toEqual([...streams].sort())
  for (const streamId of streams) {
    expect(inTopic.get(streamId)).toMatchObject({
      version: 32,
      stateVersion: 1,
      state: await folded(client, streamId, 32),
    })
  }
  expect((await client.info(short)).snapshotVersion).toBeUndefined()
  expect(await snapshotter.metric('annals_snapshotter_failures_total')).toBe(0)
  expect(await snapshotter.metric('annals_snapshotter_owned_partitions')).toBe(3)
})
