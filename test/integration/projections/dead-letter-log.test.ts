import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  deadLetterTopic,
  formatPosition,
  newEventId,
  noVersion,
  parseStreamId,
  type Position,
  position,
  versionAfter,
} from '#domain'
import { type EncodedEvent, toLogRecord } from '#event-log/records'
import { FencedLog, KafkaCluster, LogReader, type LogRecord, type StoredRecord, Topics } from '#kafka'

import {
  DeadLetterLog,
  deadLetterTopicSpecs,
} from '../../../services/projector/dead-letters/dead-letter-log.ts'
import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

const messageBytesMax = 50_000
const kafka = { partitions: 2, replication: 1, minInsyncReplicas: 1, messageBytesMax }
const sourcePartitions = 3

let cluster: KafkaCluster
let reader: LogReader
let source: string

beforeAll(async () => {
  cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'dead-letters' })
  reader = new LogReader(cluster)
  source = uniqueName('source')
  const configs = { 'max.message.bytes': String(messageBytesMax) }
  await new Topics(cluster).ensure([{ name: source, partitions: sourcePartitions, replication: 1, configs }])
})
afterAll(() => cluster.close())

/** A projection that parks failing events, with its topic. */
async function freshProjection(): Promise<string> {
  const name = uniqueName('poisoned')
  await new Topics(cluster).ensure(deadLetterTopicSpecs([{ name, onError: 'dead-letter' }], kafka))
  return name
}

const setOf = (name: string) => ({ projection: { name, indexNames: [] }, generation: 'g-1' })
const openLog = (at = cluster, logger = pino({ level: 'silent' })): DeadLetterLog =>
  new DeadLetterLog({ cluster: at, reader, partitions: kafka.partitions, logger })

async function written(partition: number, ...records: readonly LogRecord[]): Promise<readonly Position[]> {
  const log = new FencedLog(cluster, source, partition)
  await log.takeOver()
  const { firstOffset } = await log.append(records)
  return records.map((_, index) => position(source, partition, firstOffset + index))
}

async function lettersOf(projection: string, partition: number): Promise<readonly StoredRecord[]> {
  const letters: StoredRecord[] = []
  for await (const records of reader.read(deadLetterTopic(projection), partition, { from: 0 })) letters.push(...records) // prettier-ignore
  return letters
}

const headersOf = ({ headers }: StoredRecord): Record<string, string> =>
  Object.fromEntries(headers.map(([name, value]) => [name, value.toString()]))

const event = (index = 1): EncodedEvent => ({
  id: newEventId(),
  streamId: parseStreamId('order.42'),
  type: 'OrderPlaced',
  version: versionAfter(noVersion, index),
  timestamp: '2026-01-02T03:04:05.678Z',
  timestampMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  metadata: { correlationId: 'c-1' },
  value: Buffer.from([0, 0, 0, 0, 7, 1, 2, 3, index]),
})

test('a letter is the original record and what happened to it', async () => {
  const name = await freshProjection()
  const original = toLogRecord(event())
  const [at] = (await written(2, original)) as [Position]
  const before = Date.now()
  await openLog().add({ set: setOf(name), position: at, error: 'the total is not a number' })
  const [letter, ...others] = await lettersOf(name, 2 % kafka.partitions)
  if (letter === undefined) throw new Error('no letter')
  expect(others).toEqual([])
  expect([letter.key, letter.value, letter.timestampMs]).toEqual([
    original.key,
    original.value,
    Date.parse('2026-01-02T03:04:05.678Z'),
  ])
  const { annals_failed_at: failedAt = '', ...headers } = headersOf(letter)
  expect(headers).toEqual({
    ...Object.fromEntries(original.headers),
    annals_error: 'the total is not a number',
    annals_source: formatPosition(at),
    annals_projection: name,
    annals_generation: 'g-1',
  })
  expect(Date.parse(failedAt)).toBeGreaterThanOrEqual(before)
})

test('a record that is not an Annals event is copied unchanged', async () => {
  const name = await freshProjection()
  const binary = Buffer.from([0xff, 0x00, 0xfe])
  const foreign: LogRecord[] = [
    { key: Buffer.alloc(0), value: null, headers: [], timestampMs: 1 },
    { key: binary, value: binary, headers: [['trace', binary], ['trace', '2']], timestampMs: 2 }, // prettier-ignore
  ]
  const log = openLog()
  for (const at of await written(1, ...foreign))
    await log.add({ set: setOf(name), position: at, error: 'odd' })
  const letters = await lettersOf(name, 1)
  expect(letters.map(({ key, value, timestampMs }) => ({ key, value, timestampMs }))).toEqual(
    foreign.map(({ key, value, timestampMs }) => ({ key, value, timestampMs })),
  )
  expect(letters[1]?.headers.slice(0, 2)).toEqual([
    ['trace', binary],
    ['trace', Buffer.from('2')],
  ])
  expect(letters.map(({ headers }) => headers.length)).toEqual([5, 7])
})

test('the largest record of the source fits with the longest error, which is truncated', async () => {
  const name = await freshProjection()
  const value = Buffer.alloc(messageBytesMax - 200, 1)
  const [at] = (await written(0, { ...toLogRecord(event()), headers: [], value })) as [Position]
  await openLog().add({ set: setOf(name), position: at, error: '€'.repeat(10_000) })
  const [letter] = await lettersOf(name, 0)
  expect(letter?.value).toEqual(value)
  expect(letter && headersOf(letter)['annals_error']).toBe('€'.repeat(2_000))
})

test('letters that one instance adds concurrently are written one after another', async () => {
  const name = await freshProjection()
  const positions = await written(
    0,
    ...Array.from({ length: 10 }, (_, index) => toLogRecord(event(index + 1))),
  )
  const log = openLog()
  await Promise.all(positions.map((at) => log.add({ set: setOf(name), position: at, error: 'no' })))
  const sources = (await lettersOf(name, 0)).map((letter) => headersOf(letter)['annals_source'])
  expect(sources.toSorted()).toEqual(positions.map(formatPosition).toSorted())
})

test('instances that write to the same partition take turns, and no letter is lost', async () => {
  const name = await freshProjection()
  const positions = await written(
    0,
    ...Array.from({ length: 12 }, (_, index) => toLogRecord(event(index + 1))),
  )
  const logs = [openLog(), openLog(), openLog()]
  const [first, ...others] = positions as [Position, ...Position[]]
  for (const log of [...logs, ...logs]) await log.add({ set: setOf(name), position: first, error: 'in turn' })
  const share = (own: number): readonly Position[] => others.filter((_, index) => index % logs.length === own)
  await Promise.all(
    logs.map(async (log, own) => {
      for (const at of share(own)) await log.add({ set: setOf(name), position: at, error: 'at once' })
    }),
  )
  const sources = (await lettersOf(name, 0)).map((letter) => headersOf(letter)['annals_source'])
  expect(sources.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => formatPosition(first)))
  expect(sources.slice(6).toSorted()).toEqual(others.map(formatPosition).toSorted())
})

test('a letter that cannot be read, or not written in time, is rejected; a later one is written', async () => {
  const name = await freshProjection()
  const [at] = (await written(0, toLogRecord(event()))) as [Position]
  const nowhere = position(source, 0, at.offset + 100)
  await expect(openLog().add({ set: setOf(name), position: nowhere, error: '' })).rejects.toMatchObject({
    outcome: 'not-there',
  })

  const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
  const proxied = await KafkaCluster.connect({
    brokers: [proxy.address],
    clientId: 'slow',
    requestTimeoutMs: 2_500,
  })
  const log = new DeadLetterLog({
    cluster: proxied,
    reader,
    partitions: kafka.partitions,
    // Long enough to send the first letter and to write the last one, even on a machine that stalls at times.
    timeoutMs: 5_000,
    logger: pino({ level: 'silent' }),
  })
  proxy.answersToAppends = 'swallow'
  const letter = { set: setOf(name), position: at, error: 'slow' }
  const settled = await Promise.allSettled([log.add(letter), log.add(letter)])
  expect(settled).toMatchObject([
    { status: 'rejected', reason: { outcome: 'unknown' } },
    { status: 'rejected', reason: { outcome: 'unavailable' } },
  ])
  proxy.answersToAppends = 'pass'
  await log.add(letter)
  const copies = (await lettersOf(name, 0)).length
  expect([1, 2]).toContain(copies)
  await proxied.close()
  await proxy.close()
})

test('a letter that its topic can never take is logged and delays nothing', async () => {
  const name = uniqueName('poisoned')
  const configs = { 'max.message.bytes': '200' }
  await new Topics(cluster).ensure([{ name: deadLetterTopic(name), ...kafka, configs }])
  const [at] = (await written(0, toLogRecord(event()))) as [Position]
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => lines.push(line) })
  await openLog(cluster, logger).add({ set: setOf(name), position: at, error: 'too large' })
  expect(lines.map((line) => (JSON.parse(line) as { position: string }).position)).toEqual([
    formatPosition(at),
  ])
  expect(await lettersOf(name, 0)).toEqual([])
})

test('after its topic was deleted and created again, letters are written to the new topic without a restart', async () => {
  const name = await freshProjection()
  const [at] = (await written(0, toLogRecord(event()))) as [Position]
  const log = openLog()
  const add = () => log.add({ set: setOf(name), position: at, error: 'no' })
  await add()
  await add()
  const other = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'admin' })
  await new Topics(other).delete(deadLetterTopic(name))
  await new Topics(other).ensure(deadLetterTopicSpecs([{ name, onError: 'dead-letter' }], kafka))
  await other.close()
  await expect(add()).rejects.toMatchObject({ outcome: 'log-replaced' })
  await add()
  const sources = (await lettersOf(name, 0)).map((letter) => headersOf(letter)['annals_source'])
  expect(sources).toContain(formatPosition(at))
})
