import { expect, onTestFinished, test } from 'vitest'

import { eventTopic, projectionTopic, snapshotTopic } from '#domain'
import { LogReader } from '#kafka'

import { testClient } from '../support/services/closing.ts'
import { deleteHead } from '../support/kafka/harmed-topics.ts'
import { appendPast, purchaseRecord } from '../support/append/past-the-writer.ts'
import type { Installation } from '../support/services/real-writer.ts'
import { redisToBreak, withDump } from '../support/index/redis-to-break.ts'
import { runningSnapshotter, snapshotterInstallation } from '../support/services/snapshotter-fixture.ts'
import { testStack } from '../support/stack/stack.ts'
import { TcpProxy } from '../support/proxies/tcp-proxy.ts'
import {
  purchase,
  purchases,
  runningProjector,
  runningWriter,
  streamPerPartition,
} from '../support/services/writer-fixture.ts'

const redis = redisToBreak()
const partitions = 2
/** Before the fix a partition lost 14 to 28 epochs in 10 to 20 s. */
const periodMs = 15_000
/** A few, for operations in flight. */
const epochsMax = 3

async function services() {
  const registry = await TcpProxy.start(testStack().registryUrl)
  onTestFinished(() => registry.close())
  const where = snapshotterInstallation({
    ANNALS_REDIS_URL: redis.url,
    ANNALS_REGISTRY_URL: registry.url,
    ANNALS_KAFKA_PARTITIONS: String(partitions),
  })
  const writer = await runningWriter(where)
  await Promise.all([runningSnapshotter(where, writer), runningProjector(where)])
  const client = testClient({ url: writer.url, timeoutMs: 3_000, retries: { totalMsMax: 500 } })
  const streams = streamPerPartition(where.type, partitions)
  for (const streamId of streams) await client.append(streamId, purchases(12))
  return { where, writer, client, streams, registry }
}

type Services = Awaited<ReturnType<typeof services>>

/** Faults that persist. */
const faults: Readonly<Record<string, (of: Services) => Promise<void>>> = {
  'Redis out of memory': () => redis.send('CONFIG SET maxmemory 1'),
  'Redis away': () => redis.stop(),
  'the registry away': ({ registry }) => {
    registry.turnTo('http://127.0.0.1:1')
    return Promise.resolve()
  },
  'a misfit at the end of each partition, and an emptied index': async ({ where, writer, streams }) => {
    const type = where.type
    for (const [partition, streamId] of streams.entries()) {
      const record = purchaseRecord(writer.backends, type, streamId, 1)
      await appendPast(writer.backends, eventTopic(type), partition, [record])
    }
    await redis.send('FLUSHALL')
  },
  'a log without its head, and an emptied index': async ({ where }) => {
    for (let partition = 0; partition < partitions; partition++)
      await deleteHead(where, eventTopic(where.type), partition, 5)
    await redis.send('FLUSHALL')
  },
}

/** The epoch of the last marker of each partition of each topic. */
async function epochs(
  { domain, type }: Installation,
  reader: LogReader,
): Promise<ReadonlyMap<string, number>> {
  const topics = [
    eventTopic(type),
    snapshotTopic(type),
    ...Object.values(domain.projections).map(projectionTopic),
  ]
  const found = new Map<string, number>()
  for (const topic of topics) {
    for (let partition = 0; partition < partitions; partition++)
      found.set(`${topic}/${partition}`, (await reader.lastTerm(topic, partition))?.epoch ?? 0)
  }
  return found
}

test.for(Object.keys(faults))(
  '%s costs no partition more than a few epochs, however long it lasts',
  async (name) => {
    const running = await services()
    const { where, writer, client, streams } = running
    const reader = new LogReader(writer.backends.cluster)
    await faults[name]?.(running)
    const before = await epochs(where, reader)
    const untilMs = performance.now() + periodMs
    const trying = streams.map(async (streamId) => {
      while (performance.now() < untilMs) await client.append(streamId, [purchase()]).catch(() => undefined)
    })
    await Promise.all(trying)
    const after = await epochs(where, reader)
    const spent = [...after].map(([place, epoch]) => [place, epoch - (before.get(place) ?? 0)] as const)
    expect(spent.filter(([, count]) => count > epochsMax)).toEqual([])
    if (name === 'Redis away') await redis.start(...withDump)
  },
)
