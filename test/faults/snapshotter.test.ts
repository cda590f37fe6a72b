import { onTestFinished, expect, test } from 'vitest'

import type { AnnalsClient } from '#client'
import { snapshotTopic, type StreamId } from '#domain'
import { KafkaCluster, LogReader } from '#kafka'

import { snapshotHead } from '../../services/snapshotter/topic/snapshot-record.ts'
import { testClient } from '../support/services/closing.ts'
import { KafkaProxy } from '../support/kafka/kafka-proxy.ts'
import type { Installation } from '../support/services/real-writer.ts'
import { type ServiceProcess, startServiceProcess } from '../support/services/service-process.ts'
import { expectSnapshot, snapshotAt } from '../support/snapshots/snapshot-checks.ts'
import { snapshotterInstallation } from '../support/services/snapshotter-fixture.ts'
import { testStack, waitFor } from '../support/stack/stack.ts'
import { freshStream, purchase, purchases, runningWriter } from '../support/services/writer-fixture.ts'

const env = { ANNALS_KAFKA_PARTITIONS: '4', ANNALS_SNAPSHOTTER_SESSION_TIMEOUT: '6s' }

async function snapshotterProcess(
  where: Installation,
  writer: { readonly url: string },
  more: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const urls = { ANNALS_SNAPSHOTTER_WRITER_URLS: writer.url }
  const process = await startServiceProcess('snapshotter', where, { ...urls, ...more })
  onTestFinished(() => process.stop())
  return process
}

/** The versions of each stream's snapshots, in the order of the topic. */
async function versionsInTopic(where: Installation): Promise<Map<StreamId, number[]>> {
  const cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'check' })
  onTestFinished(() => cluster.close())
  const topic = snapshotTopic(where.type)
  const versions = new Map<StreamId, number[]>()
  for (const partition of (await cluster.topic(topic)).partitions.keys()) {
    for await (const records of new LogReader(cluster).read(topic, partition, { from: 0 })) {
      for (const head of records.map(snapshotHead)) {
        if (head !== undefined)
          versions.set(head.streamId, [...(versions.get(head.streamId) ?? []), head.version])
      }
    }
  }
  return versions
}

/** How many partitions a snapshotter owns, as it reports. */
async function owned({ url }: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^annals_snapshotter_owned_partitions\S* (\d+)/m.exec(text)?.[1])
}

const owns = (process: ServiceProcess, partitions: number) =>
  waitFor(`${process.url} to own ${partitions}`, async () => (await owned(process)) === partitions, {
    timeoutMs: 30_000,
  })

const appendAll = (client: AnnalsClient, streams: readonly StreamId[], count: number) =>
  Promise.all(streams.map((streamId) => client.append(streamId, purchases(count))))

test('snapshotters that are killed again and again leave no stream without its snapshot', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const streams = Array.from({ length: 60 }, () => freshStream(where.type))
  let current = await snapshotterProcess(where, writer)
  for (let kill = 0; kill < 4; kill++) {
    const appended = appendAll(client, streams, 10)
    // In the middle of a round: some of its snapshots are taken, others are not.
    await waitFor('the first snapshots', async () => {
      const infos = await Promise.all(streams.map((streamId) => client.info(streamId).catch(() => undefined)))
      return infos.some((info) => info?.snapshotVersion === 10 * (kill + 1))
    })
    current.kill('SIGKILL')
    await current.exited
    await appended
    current = await snapshotterProcess(where, writer)
  }
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 40)))
  for (const streamId of streams) await expectSnapshot(client, streamId, 40)
  for (const [, versions] of await versionsInTopic(where)) {
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(versions.at(-1)).toBe(40)
  }
})

test('a zombie that resumes with snapshots in flight does not overwrite newer ones', async () => {
  const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
  onTestFinished(() => proxy.close())
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const zombie = await snapshotterProcess(where, writer, { ANNALS_KAFKA_BROKERS: proxy.address })
  const streams = Array.from({ length: 24 }, () => freshStream(where.type))
  await owns(zombie, 4)
  await appendAll(client, streams, 10)
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 10)))

  proxy.holdAppends()
  await appendAll(client, streams, 10)
  await waitFor('snapshots to be in flight', () => Promise.resolve(proxy.held > 0))
  zombie.kill('SIGSTOP')
  const next = await snapshotterProcess(where, writer)
  await owns(next, 4)
  await Promise.all(streams.map((streamId) => client.append(streamId, [purchase()])))
  await appendAll(client, streams, 9)
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 30)))
  proxy.releaseAppends()
  await waitFor('the broker to answer them', () => Promise.resolve(proxy.hasAnsweredAppend))
  zombie.kill('SIGCONT')
  await owns(zombie, 2)

  await appendAll(client, streams, 10)
  await Promise.all(streams.map((streamId) => snapshotAt(client, streamId, 40)))
  for (const streamId of streams) await expectSnapshot(client, streamId, 40)
  for (const [, versions] of await versionsInTopic(where)) {
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
  }
})
