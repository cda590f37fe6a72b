import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describeTransactionsV0 } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { newEventId } from '#domain'
import { FencedLog, KafkaCluster, LogReader, type LogRecord, Topics } from '#kafka'

import { freePorts, type Server, startKafka } from '../../../scripts/stack/index.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'

/** Settings of a coordinator that forgets an idle owner within seconds, like Kafka does after seven days. */
const forgetful = {
  'transactional.id.expiration.ms': '1000',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '300',
}
const partition = 0

let folder: string
let server: Server
let address: string
let cluster: KafkaCluster

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-forgetful-'))
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const started = await startKafka({
    ...{ port, controllerPort, folder: join(folder, 'kafka'), logFile: join(folder, 'kafka.log') },
    report: () => undefined,
    settings: forgetful,
  })
  server = started
  address = started.address
  cluster = await KafkaCluster.connect({ brokers: [address], clientId: 'forgotten' })
})

afterAll(async () => {
  await cluster.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

const record = (text: string): LogRecord => ({
  key: Buffer.from('order.1'),
  value: Buffer.from(text),
  headers: [],
  timestampMs: Date.now(),
})

async function freshTopic(): Promise<string> {
  const name = `eventstore.${uniqueName('forgotten')}`
  await new Topics(cluster).ensure([{ name, partitions: 1, replication: 1, configs: {} }])
  return name
}

/** Waits until the coordinator has forgotten the transactional id, so that the next owner gets another producer id. */
const forgotten = (topic: string): Promise<unknown> =>
  waitFor('the coordinator has forgotten the owner', () =>
    cluster.onCoordinator('transaction', `annals.${topic}.${partition}`, async (connection) => {
      const answer = await describeTransactionsV0.api
        .async(connection, [`annals.${topic}.${partition}`])
        .catch((error: unknown) => error as Error)
      return answer instanceof Error
    }),
  )

async function valuesIn(topic: string, from = 0): Promise<string[]> {
  const pieces = await Array.fromAsync(new LogReader(cluster).read(topic, partition, { from }))
  return pieces.flat().map(({ value }) => String(value))
}

/** Appends a record with a plain producer, which is not an owner. */
async function sendPlain(topic: string, value: string, headers: Record<string, string> = {}): Promise<void> {
  const producer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ partition, key: 'order.1', value, headers }] })
  await producer.disconnect()
}

test('a forgotten owner that resumes gets no acknowledgement, even if the broker accepts its batch', async () => {
  const topic = await freshTopic()
  const first = new FencedLog(cluster, topic, partition)
  const firstTerm = await first.takeOver()
  await first.append([record('first')])
  await forgotten(topic)
  const second = new FencedLog(cluster, topic, partition)
  const secondTerm = await second.takeOver()
  expect(secondTerm.producerId, 'the broker’s fence does not cover the first owner').not.toBe(
    firstTerm.producerId,
  )
  await second.append([record('second')])

  await expect(first.append([record('stray')])).rejects.toMatchObject({
    outcome: 'unknown',
    mayBeAppended: true,
    message: expect.stringContaining('another owner has written') as string,
  })
  await expect(first.append([record('stray')])).rejects.toMatchObject({ outcome: 'take-over' })

  const { strays } = await second.append([record('third')])
  expect(strays).toMatchObject([{ producerId: firstTerm.producerId, held: { epoch: secondTerm.epoch } }])
  expect(await valuesIn(topic)).toEqual(['first', 'second', 'third'])
  for (let from = 0; from <= (strays[0]?.firstOffset ?? 0); from++)
    expect(await valuesIn(topic, from)).not.toContain('stray')
})

test('a follower from the start, and one that starts anywhere, see no stray', async () => {
  const topic = await freshTopic()
  const first = new FencedLog(cluster, topic, partition)
  await first.takeOver()
  await first.append([record('first')])
  const stop = new AbortController()
  const seen: string[] = []
  let strays = 0
  const following = (async () => {
    for await (const piece of new LogReader(cluster).follow(topic, partition, 0, stop.signal)) {
      seen.push(...piece.records.map(({ value }) => String(value)))
      strays += piece.strays.length
    }
  })()
  await forgotten(topic)
  const second = new FencedLog(cluster, topic, partition)
  await second.takeOver()
  await first.append([record('stray')]).catch(() => undefined)
  await second.append([record('second')])
  await expect.poll(() => seen).toEqual(['first', 'second'])
  stop.abort()
  await following
  expect(strays).toBe(1)
})

test('a well-formed record of another producer is left out, and does not end the owner’s term', async () => {
  const topic = await freshTopic()
  const owner = new FencedLog(cluster, topic, partition)
  await owner.takeOver()
  await owner.append([record('first')])
  await sendPlain(topic, 'forged')
  const { strays } = await owner.append([record('second')])
  expect(strays).toHaveLength(1)
  await owner.append([record('third')])
  expect(await valuesIn(topic)).toEqual(['first', 'second', 'third'])
})

test('a follower waits at the start of a log for the first marker, which decides whether data before it counts', async () => {
  const topic = await freshTopic()
  await sendPlain(topic, 'copied')
  const at = { lane: 'open', waitMsMax: 100 }
  const fetched = () => new LogReader(cluster).fetch(topic, partition, 0, at)
  expect(await fetched()).toMatchObject({ records: [], strays: [], nextOffset: 0, highWatermark: 1 })
  await new FencedLog(cluster, topic, partition).takeOver()
  const { records, nextOffset } = await fetched()
  expect(records.map(({ value }) => String(value))).toEqual(['copied'])
  expect(nextOffset).toBe(2)
})

test('data that continues a stream of a deleted topic is stray, before the first marker and after it', async () => {
  const topic = await freshTopic()
  await sendPlain(topic, 'meant for another topic', {
    ...{ ce_id: newEventId(), ce_type: 'OrderPlaced', ce_subject: 'order.1', ce_streamversion: '11' },
    ce_time: new Date(0).toISOString(),
  })
  const at = { lane: 'open', waitMsMax: 100 }
  const fetched = () => new LogReader(cluster).fetch(topic, partition, 0, at)
  expect(await fetched()).toMatchObject({ records: [], strays: [{ firstOffset: 0 }], nextOffset: 1 })
  await new FencedLog(cluster, topic, partition).takeOver()
  expect(await fetched()).toMatchObject({ records: [], strays: [{ firstOffset: 0 }], nextOffset: 2 })
})

test('after a topic was deleted and created again, the log acknowledges nothing and is unusable', async () => {
  const topic = await freshTopic()
  const owner = new FencedLog(cluster, topic, partition)
  await owner.takeOver()
  await owner.append([record('first'), record('second')])
  const other = await KafkaCluster.connect({ brokers: [address], clientId: 'admin' })
  await new Topics(other).delete(topic)
  await new Topics(other).ensure([{ name: topic, partitions: 1, replication: 1, configs: {} }])
  await other.close()
  await expect(owner.append([record('third')])).rejects.toMatchObject({ outcome: 'log-replaced' })
  await expect(owner.append([record('third')])).rejects.toMatchObject({ outcome: 'log-replaced' })
  await expect(owner.takeOver()).rejects.toMatchObject({ outcome: 'log-replaced' })
})

test('a process bound to a topic notices without a request that it was created again', async () => {
  const topic = await freshTopic()
  const held = await KafkaCluster.connect({ brokers: [address], clientId: 'held' })
  held.holdTo(await new Topics(held).describe([topic]))
  expect(held.replacedTopics).toEqual([])
  await new Topics(cluster).delete(topic)
  await new Topics(cluster).ensure([{ name: topic, partitions: 1, replication: 1, configs: {} }])
  await expect.poll(() => held.replacedTopics).toEqual([topic])
  expect(() => held.checkHeld(topic)).toThrow(expect.objectContaining({ outcome: 'log-replaced' }))
  await expect(new LogReader(held).endOffset(topic, partition)).rejects.toMatchObject({
    outcome: 'log-replaced',
  })
  await held.close()
})
