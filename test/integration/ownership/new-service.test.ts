import { readFile } from 'node:fs/promises'

import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { FencedLog, KafkaCluster, LogReader, Topics } from '#kafka'

import { EventCounter, lastCount } from '../../support/ownership/event-counter.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

const partitions = [0, 1, 2]
const groupId = uniqueName('counters')
const topic = `eventstore.${uniqueName('counted')}`
const countsTopic = uniqueName('counts')

let cluster: KafkaCluster
let reader: LogReader
const counters: EventCounter[] = []
const logs = new Map<number, FencedLog>()

beforeAll(async () => {
  cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'counters' })
  reader = new LogReader(cluster)
  await new Topics(cluster).ensure(
    [topic, countsTopic].map((name) => ({
      name,
      partitions: partitions.length,
      replication: 1,
      configs: {},
    })),
  )
  for (const partition of partitions) {
    const log = new FencedLog(cluster, topic, partition)
    await log.takeOver()
    logs.set(partition, log)
  }
})

afterAll(async () => {
  await Promise.all(counters.map((counter) => counter.stop()))
  await cluster.close()
})

async function started(name: string): Promise<EventCounter> {
  const counter = new EventCounter({
    ...{ cluster, groupId, topic, countsTopic, advertisedUrl: `http://${name}:7400` },
    logger: pino({ level: 'silent' }),
  })
  counters.push(counter)
  await counter.start()
  return counter
}

async function append(count: number): Promise<void> {
  for (const log of logs.values()) {
    const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestampMs: Date.now() }
    for (let n = 0; n < count; n++) await log.append([record])
  }
}

const counted = (expected: number) =>
  waitFor(`${expected} records of each partition to be counted`, async () => {
    const counts = await Promise.all(partitions.map((each) => lastCount(reader, countsTopic, each)))
    for (const { records } of counts) expect(records).toBeLessThanOrEqual(expected)
    return counts.every(({ records }) => records === expected)
  })

test('a new service that owns partitions counts each record once while instances join and leave', async () => {
  const one = await started('one')
  await append(5)
  await counted(5)
  expect(one.group.checkServing()).toEqual({ owned: 3 })
  const two = await started('two')
  await append(5)
  await counted(10)
  await waitFor('both to own partitions', () =>
    Promise.resolve(one.group.owners.length > 0 && two.group.owners.length > 0),
  )
  await one.stop()
  await append(5)
  await counted(15)
  await waitFor('the other to serve all', () => Promise.resolve(two.group.checkServing().owned === 3))
})

test('such a service has fewer than 150 lines', async () => {
  const source = await readFile(new URL('../../support/ownership/event-counter.ts', import.meta.url), 'utf8')
  expect(source.split('\n').length).toBeLessThan(150)
})
