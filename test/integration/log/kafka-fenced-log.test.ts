import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { FencedLog, KafkaCluster, LogReader, type LogRecord, Topics } from '#kafka'
import { spendEpochs } from '#kafka/testing'

import { versions } from '../../../scripts/stack/index.ts'
import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { type Broker, oldestKafka, stackKafka } from '../../support/kafka/kafka-versions.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'

const record = (text: string): LogRecord => ({
  key: Buffer.from('order.1'),
  value: Buffer.from(text),
  headers: [['ce_type', 'OrderPlaced']],
  timestampMs: Date.now(),
})

describe.each([
  { name: `Kafka ${versions.kafka}`, start: stackKafka },
  { name: `Kafka ${versions.kafkaOldest}`, start: oldestKafka },
])('the fenced log on $name', ({ start }) => {
  let broker: Broker
  let cluster: KafkaCluster
  let reader: LogReader
  let proxy: KafkaProxy
  let proxied: KafkaCluster

  beforeAll(async () => {
    broker = await start()
    cluster = await KafkaCluster.connect({ brokers: [broker.address], clientId: 'contract' })
    reader = new LogReader(cluster)
  }, 180_000)

  afterAll(async () => {
    await cluster.close()
    await broker.stop()
  })

  beforeEach(async () => {
    proxy = await KafkaProxy.start(broker.address)
    proxied = await KafkaCluster.connect({
      brokers: [proxy.address],
      clientId: 'proxied',
      requestTimeoutMs: 1_000,
    })
  })

  afterEach(async () => {
    await proxied.close()
    await proxy.close()
  })

  async function freshTopic(partitions = 1): Promise<string> {
    const name = uniqueName('fenced')
    await new Topics(cluster).ensure([{ name, partitions, replication: 1, configs: {} }])
    return name
  }

  async function owner(topic: string, at = cluster, partition = 0): Promise<FencedLog> {
    const log = new FencedLog(at, topic, partition)
    await log.takeOver()
    return log
  }

  async function valuesIn(topic: string, partition = 0): Promise<string[]> {
    const values: string[] = []
    for await (const records of reader.read(topic, partition, { from: 0 })) {
      values.push(...records.map(({ value }) => String(value)))
    }
    return values
  }

  test('an owner’s records are read back in order, at the acknowledged offsets', async () => {
    const topic = await freshTopic()
    const log = await owner(topic)
    const first = await log.append([record('a'), record('b')])
    const second = await log.append([record('c')])
    expect(first.lastOffset).toBe(first.firstOffset + 1)
    expect(second.firstOffset).toBe(first.lastOffset + 1)
    const read = await reader.fetchAt(topic, 0, [first.firstOffset, first.lastOffset, second.firstOffset])
    expect(read.map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
  })

  test('a batch of a thousand records is appended completely', async () => {
    const topic = await freshTopic()
    const log = await owner(topic)
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index}`)
    const { firstOffset, lastOffset } = await log.append(texts.map(record))
    expect(lastOffset - firstOffset).toBe(999)
    expect(await valuesIn(topic)).toEqual(texts)
  })

  test('an append before the take-over, a concurrent append and an empty append are refused', async () => {
    const log = new FencedLog(cluster, await freshTopic(), 0)
    await expect(log.append([record('a')])).rejects.toMatchObject({ outcome: 'take-over' })
    await log.takeOver()
    await expect(log.append([])).rejects.toThrow('at least one record')
    const first = log.append([record('a')])
    await expect(log.append([record('b')])).rejects.toThrow('one batch at a time')
    await first
  })

  test('a take-over raises the epoch and ends after its own marker, which is not a record', async () => {
    const topic = await freshTopic()
    const first = await new FencedLog(cluster, topic, 0).takeOver()
    const log = new FencedLog(cluster, topic, 0)
    const second = await log.takeOver()
    expect(second.producerId).toBe(first.producerId)
    expect(second.epoch).toBeGreaterThan(first.epoch)
    expect(second.topicId).toBe(first.topicId)
    // The marker is in the log as soon as the take-over resolves, without waiting.
    expect(await reader.endOffset(topic, 0)).toBe(second.endOffset)
    expect(second.endOffset).toBe(first.endOffset + 1)
    await expect(reader.fetchAt(topic, 0, [second.endOffset - 1])).rejects.toMatchObject({
      outcome: 'not-there',
    })
    expect((await log.append([record('a')])).firstOffset).toBe(second.endOffset)
  })

  test('an owner may take over from itself and continue', async () => {
    const topic = await freshTopic()
    const log = await owner(topic)
    await log.append([record('a')])
    await log.takeOver()
    await log.append([record('b')])
    expect(await valuesIn(topic)).toEqual(['a', 'b'])
  })

  test('a zombie is refused as soon as the take-over resolves, in twenty new topics', async () => {
    for (let round = 0; round < 20; round++) {
      const topic = await freshTopic()
      const zombie = await owner(topic)
      await zombie.append([record('before')])
      const { endOffset } = await new FencedLog(cluster, topic, 0).takeOver()
      await expect(zombie.append([record('after')])).rejects.toMatchObject({
        outcome: 'fenced',
        mayBeAppended: false,
      })
      expect(await reader.endOffset(topic, 0)).toBe(endOffset)
      expect(await valuesIn(topic)).toEqual(['before'])
    }
  })

  test('a zombie that appends continuously gets nothing into the log after the end reported by the take-over', async () => {
    const topic = await freshTopic(8)
    await Promise.all(
      Array.from({ length: 8 }, async (_, partition) => {
        const zombie = await owner(topic, cluster, partition)
        const acknowledged: number[] = []
        const appending = (async () => {
          for (;;) acknowledged.push((await zombie.append([record('zombie')])).lastOffset)
        })()
        const ending = expect(appending).rejects.toMatchObject({ outcome: 'fenced' })
        await waitFor('some appends', () => Promise.resolve(acknowledged.length > 5))
        const { endOffset } = await new FencedLog(cluster, topic, partition).takeOver()
        await ending
        expect(Math.max(...acknowledged)).toBeLessThan(endOffset)
        expect(await valuesIn(topic, partition)).toHaveLength(acknowledged.length)
        expect(await reader.endOffset(topic, partition)).toBe(endOffset)
      }),
    )
  })

  test('a fenced log stays unusable', async () => {
    const topic = await freshTopic()
    const zombie = await owner(topic)
    await owner(topic)
    await expect(zombie.append([record('a')])).rejects.toMatchObject({ outcome: 'fenced' })
    await expect(zombie.append([record('a')])).rejects.toMatchObject({ outcome: 'fenced' })
    await expect(zombie.renew()).rejects.toMatchObject({ outcome: 'fenced' })
    await expect(zombie.takeOver()).rejects.toMatchObject({ outcome: 'fenced' })
  })

  test(
    'when epochs restart with another producer id, each owner still fences all earlier ones',
    { timeout: 240_000 },
    async () => {
      const topic = await freshTopic()
      const first = await owner(topic)
      await first.append([record('first')])
      const owners = [first]
      // Terms whose owners died before their markers, so the first owner is not fenced yet.
      await spendEpochs({ cluster, topic, partition: 0 }, 2)
      const producers = new Set<bigint>()
      for (let turn = 0; turn < 24; turn++) {
        const log = new FencedLog(cluster, topic, 0)
        producers.add((await log.takeOver()).producerId)
        for (const former of owners.slice(-2)) {
          await expect(former.append([record('zombie')])).rejects.toMatchObject({ outcome: 'fenced' })
        }
        await log.append([record(`${turn}`)])
        owners.push(log)
      }
      expect(producers.size).toBe(2)
      expect(await valuesIn(topic)).toEqual(['first', ...Array.from({ length: 24 }, (_, turn) => `${turn}`)])
    },
  )

  test('of owners that take over concurrently, at most one can append afterwards', async () => {
    for (let round = 0; round < 5; round++) {
      const topic = await freshTopic()
      const logs = Array.from({ length: 4 }, () => new FencedLog(cluster, topic, 0))
      const taken = await Promise.allSettled(logs.map((log) => log.takeOver()))
      const appended = await Promise.allSettled(logs.map((log, index) => log.append([record(`${index}`)])))
      const winners = appended.filter(({ status }) => status === 'fulfilled')
      expect(winners).toHaveLength(1)
      expect(await valuesIn(topic)).toHaveLength(1)
      expect(taken.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    }
  })

  test('renewals under load affect neither appends nor their order', async () => {
    const topic = await freshTopic()
    const log = await owner(topic)
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`)
    const appended = new AbortController()
    const renewing = (async () => {
      let renewals = 0
      for (; !appended.signal.aborted; renewals++) await log.renew()
      return renewals
    })()
    for (const text of texts) await log.append([record(text)])
    appended.abort()
    expect(await renewing).toBeGreaterThan(3)
    expect(await valuesIn(topic)).toEqual(texts)
  })

  test('a zombie’s renewal is refused and does not affect the owner', async () => {
    const topic = await freshTopic()
    const zombie = await owner(topic)
    const log = await owner(topic)
    await log.append([record('a')])
    await expect(zombie.renew()).rejects.toMatchObject({ outcome: 'fenced' })
    await log.append([record('b')])
    await log.renew()
    expect(await valuesIn(topic)).toEqual(['a', 'b'])
  })

  test('after a connection is lost before the answer, the same sequence settles the append: never two copies', async () => {
    const topic = await freshTopic()
    const log = await owner(topic, proxied)
    const offsets: number[] = []
    for (let index = 0; index < 30; index++) {
      proxy.answersToAppends = index % 3 === 0 ? 'cut' : 'pass'
      const lost = proxy.lost
      const appending = log.append([record(`${index}`), record(`${index}+`)])
      if (index % 3 === 0) {
        await waitFor('an answer lost', () => Promise.resolve(proxy.lost > lost))
        proxy.answersToAppends = 'pass'
      }
      offsets.push((await appending).firstOffset)
    }
    expect(proxy.lost).toBeGreaterThanOrEqual(10)
    const expected = Array.from({ length: 30 }, (_, index) => [`${index}`, `${index}+`]).flat()
    expect(await valuesIn(topic)).toEqual(expected)
    const first = offsets[0] ?? 0
    expect(offsets).toEqual(offsets.map((_, index) => first + 2 * index))
  })

  test('after the deadline the outcome is unknown, appends are refused until a take-over, and the log then has the answer', async () => {
    const topic = await freshTopic()
    const log = await owner(topic, proxied)
    await log.append([record('a')])
    proxy.answersToAppends = 'swallow'
    const late = expect(log.append([record('b')], 5_000)).rejects.toMatchObject({
      outcome: 'unknown',
      mayBeAppended: true,
    })
    // Otherwise the take-over might fence the append before the broker processes it.
    await waitFor('the broker to have answered', () => Promise.resolve(proxy.lost > 0))
    await late
    proxy.answersToAppends = 'pass'
    await expect(log.append([record('c')])).rejects.toMatchObject({ outcome: 'take-over' })
    const { endOffset } = await log.takeOver()
    expect(await valuesIn(topic)).toEqual(['a', 'b'])
    expect((await log.append([record('c')])).firstOffset).toBe(endOffset)
    expect(await valuesIn(topic)).toEqual(['a', 'b', 'c'])
  })

  test('a broker that does not answer within the request time-out gets the same batch again', async () => {
    const topic = await freshTopic()
    const log = await owner(topic, proxied)
    proxy.answersToAppends = 'swallow'
    const appending = log.append([record('a')], 20_000)
    await waitFor('a retry', () => Promise.resolve(proxy.lost > 1))
    proxy.answersToAppends = 'pass'
    await appending
    expect(await valuesIn(topic)).toEqual(['a'])
  })

  test('an unsent append is known not to be in the log, and the log continues when the broker is back', async () => {
    const topic = await freshTopic()
    const log = await owner(topic, proxied)
    const { port } = proxy
    await proxy.close()
    await expect(log.append([record('lost')], 300)).rejects.toMatchObject({ mayBeAppended: false })
    await proxy.open(port)
    await log.append([record('a')])
    expect(await valuesIn(topic)).toEqual(['a'])
  })

  test('a batch that is too large is refused, and the next one continues the sequence', async () => {
    const topic = await freshTopic()
    const log = await owner(topic)
    await log.append([record('a')])
    await expect(log.append([record('x'.repeat(2_000_000))])).rejects.toMatchObject({
      outcome: 'refused',
      kafkaCode: 'MESSAGE_TOO_LARGE',
    })
    await log.append([record('b')])
    expect(await valuesIn(topic)).toEqual(['a', 'b'])
  })

  test('an append in flight ends when its cluster is closed', async () => {
    const log = await owner(await freshTopic(), proxied)
    proxy.answersToAppends = 'swallow'
    const appending = log.append([record('a')])
    const ending = expect(appending).rejects.toMatchObject({ outcome: 'unknown' })
    await waitFor('the append has been sent', () => Promise.resolve(proxy.lost > 0))
    const closedAt = performance.now()
    await proxied.close()
    await ending
    expect(performance.now() - closedAt).toBeLessThan(5_000)
  })

  test('a partition that the topic does not have is refused, and the error names it', async () => {
    const topic = await freshTopic()
    await expect(new FencedLog(cluster, topic, 7).takeOver()).rejects.toThrow(
      `topic ${topic} has 1 partitions, so there is no partition 7`,
    )
  })
})
