import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { type Appended, FencedLog, KafkaCluster, LogReader, type LogRecord, Topics } from '#kafka'

import { type KafkaCluster as Brokers, startKafkaCluster } from '../../scripts/stack/kafka-cluster.ts'
import { uniqueName, waitFor } from '../support/stack/stack.ts'

const record = (text: string): LogRecord => ({
  key: Buffer.from('order.1'),
  value: Buffer.from(text),
  headers: [],
  timestampMs: Date.now(),
})

// On a busy machine three restarts of a broker take more than a minute.
vi.setConfig({ testTimeout: 300_000 })

interface Acknowledged extends Appended {
  readonly texts: readonly string[]
}

describe('three brokers', () => {
  let folder: string
  let brokers: Brokers
  let cluster: KafkaCluster
  let reader: LogReader

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'annals-failover-'))
    brokers = await startKafkaCluster({ folder, report: () => undefined })
    const addresses = brokers.brokers.map(({ address }) => address)
    cluster = await KafkaCluster.connect({
      brokers: addresses,
      clientId: 'failover',
      requestTimeoutMs: 5_000,
    })
    reader = new LogReader(cluster)
  }, 180_000)

  afterAll(async () => {
    await cluster.close()
    await brokers.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function freshTopic(): Promise<string> {
    const name = uniqueName('failover')
    const configs = { 'min.insync.replicas': '2' }
    await new Topics(cluster).ensure([{ name, partitions: 1, replication: 3, configs }])
    return name
  }

  function leaderOf(topic: string) {
    return waitFor('the leader', async () => {
      const [metadata] = await cluster.existingTopics([topic], performance.now() + 10_000)
      return brokers.brokers.find(({ id }) => id === metadata?.partitions[0]?.leader)
    })
  }

  async function valuesIn(topic: string): Promise<string[]> {
    const values: string[] = []
    for await (const records of reader.read(topic, 0, { from: 0 })) {
      values.push(...records.map(({ value }) => String(value)))
    }
    return values
  }

  test('a leader killed while appending loses and duplicates no acknowledged event', async () => {
    const topic = await freshTopic()
    const log = new FencedLog(cluster, topic, 0, { appendTimeoutMs: 60_000 })
    await log.takeOver()
    const acknowledged: Acknowledged[] = []
    const enough = new AbortController()
    const appending = (async () => {
      for (let round = 0; !enough.signal.aborted; round++) {
        const texts = Array.from({ length: 1 + (round % 4) }, (_, index) => `${round}.${index}`)
        acknowledged.push({ ...(await log.append(texts.map(record))), texts })
      }
    })()
    const progress = (by: number): Promise<true> => {
      const goal = acknowledged.length + by
      return waitFor('appends to resume', () => Promise.resolve(acknowledged.length >= goal), {
        timeoutMs: 60_000,
      })
    }
    for (let kill = 0; kill < 3; kill++) {
      await progress(200)
      const leader = await leaderOf(topic)
      leader.kill('SIGKILL')
      // The killed broker may have been the coordinator of the fence too.
      await log.renew()
      await progress(200)
      await leader.restart()
    }
    enough.abort()
    await appending

    expect(await valuesIn(topic)).toEqual(acknowledged.flatMap(({ texts }) => texts))
    for (const { firstOffset, lastOffset, texts } of acknowledged.slice(-50)) {
      expect(lastOffset - firstOffset).toBe(texts.length - 1)
      const [first, last] = await reader.fetchAt(topic, 0, [firstOffset, lastOffset])
      expect([String(first?.value), String(last?.value)]).toEqual([texts[0], texts.at(-1)])
    }
  })

  test('a zombie is also rejected by the leader that succeeds the one with the marker', async () => {
    for (let round = 0; round < 2; round++) {
      const topic = await freshTopic()
      const zombie = new FencedLog(cluster, topic, 0)
      await zombie.takeOver()
      await zombie.append([record('before')])
      const leader = await leaderOf(topic)
      await new FencedLog(cluster, topic, 0).takeOver()
      leader.kill('SIGKILL')
      await expect(zombie.append([record('after')], 60_000)).rejects.toMatchObject({ outcome: 'fenced' })
      expect(await valuesIn(topic)).toEqual(['before'])
      await leader.restart()
    }
  })

  test('with too few replicas the outcome of an append is unknown, and a take-over settles it', async () => {
    const topic = await freshTopic()
    const log = new FencedLog(cluster, topic, 0)
    await log.takeOver()
    const leader = await leaderOf(topic)
    // From now on the log knows the leader. Otherwise it would query any broker, even the frozen one.
    await log.append([record('a')])
    const followers = brokers.brokers.filter((broker) => broker !== leader)
    for (const follower of followers) follower.kill('SIGSTOP')
    await expect(log.append([record('b')], 3_000)).rejects.toMatchObject({
      outcome: 'unknown',
      mayBeAppended: true,
    })
    for (const follower of followers) follower.kill('SIGCONT')
    await log.takeOver()
    await log.append([record('c')])
    const values = await valuesIn(topic)
    expect(values.filter((text) => text === 'a' || text === 'c')).toEqual(['a', 'c'])
    expect(values.filter((text) => text === 'b').length).toBeLessThanOrEqual(1)
  })
})
