import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ClusterBroker,
  freePorts,
  type KafkaCluster,
  liveBrokers,
  redisCommand,
  startKafkaCluster,
  startPostgres,
  startRedisCluster,
} from '../../scripts/stack/index.ts'
import { waitFor } from '../support/stack/stack.ts'
import { Link } from './harness/cluster/link.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-clusters-'))
  // When this process is root, PostgreSQL runs as another user.
  await chmod(folder, 0o755)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function report(): void {
  // The titles of the tests are enough.
}

async function liveAsSeenBy({ address }: ClusterBroker): Promise<number[]> {
  const [host = '', port] = address.split(':')
  return (await liveBrokers({ host, port: Number(port) })).toSorted()
}

describe('three brokers', () => {
  const links: Link[] = []
  let cluster: KafkaCluster
  beforeAll(async () => {
    const wayTo = async (port: number, name: string) => {
      const link = await Link.open(name, port)
      links.push(link)
      return link.port
    }
    cluster = await startKafkaCluster({ folder: join(folder, 'kafka'), report, wayTo })
  }, 240_000)
  afterAll(async () => {
    await cluster.stop()
    await Promise.all(links.map((link) => link.close()))
  })

  test('one is killed and restarted, another is frozen and resumed; the others notice', async () => {
    const [first, second, third] = cluster.brokers
    if (!first || !second || !third) throw new Error('a cluster has three brokers')
    const seenBySecond = (ids: number[]) =>
      waitFor(
        `brokers ${ids.join()} are live`,
        async () => String(await liveAsSeenBy(second)) === String(ids),
        {
          timeoutMs: 60_000,
        },
      )
    await seenBySecond([1, 2, 3])
    const before = first.pid
    first.kill('SIGKILL')
    await seenBySecond([2, 3])
    await first.restart()
    expect(first.pid).not.toBe(before)
    await seenBySecond([1, 2, 3])
    third.kill('SIGSTOP')
    await seenBySecond([1, 2])
    third.kill('SIGCONT')
    await seenBySecond([1, 2, 3])
  }, 240_000)

  test('reach each other and their controllers through the given links only', async () => {
    const cutOff = async (kind: string, work: () => Promise<unknown>) => {
      const struck = links.filter(({ name }) => name.startsWith(kind))
      struck.forEach((link) => link.suffer('cut'))
      await expect(work()).rejects.toThrow()
      struck.forEach((link) => link.heal())
      await waitFor('it to recover', () => work().then(() => true), { timeoutMs: 60_000 })
    }
    const brokers = cluster.brokers.map(({ address }) => address)
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } })
    const admin = kafka.admin()
    const producer = kafka.producer()
    const timeout = 3_000
    const create = (topic: string) =>
      admin.createTopics({ timeout, topics: [{ topic, numPartitions: 3, replicationFactor: 3 }] })
    const append = () =>
      producer.send({ topic: 'first', acks: -1, timeout, messages: [{ key: 'k', value: 'v' }] })
    try {
      await Promise.all([admin.connect(), producer.connect()])
      await waitFor('the first topic', () => create('first').then(() => true))
      await waitFor('its leaders', () => append().then(() => true))
      await cutOff('broker', append)
      await cutOff('controller', () => create('second'))
    } finally {
      await Promise.all([admin.disconnect(), producer.disconnect()])
    }
  }, 240_000)
})

test('a Redis cluster of three nodes serves every slot', async () => {
  const cluster = await startRedisCluster({ folder: join(folder, 'redis') })
  try {
    const port = cluster.nodes[0]?.port ?? 0
    const info = await redisCommand({ host: '127.0.0.1', port }, 'CLUSTER INFO')
    expect(info).toContain('cluster_slots_ok:16384')
    expect(info).toContain('cluster_size:3')
  } finally {
    await cluster.stop()
  }
})

test('PostgreSQL starts, even as root, and again on the same data', async () => {
  const [port = 0] = await freePorts(1)
  const options = { port, folder: join(folder, 'postgres'), logFile: join(folder, 'postgres.log') }
  for (let start = 0; start < 2; start++) {
    const server = await startPostgres(options)
    expect(server.url).toBe(`postgres://annals@127.0.0.1:${port}/postgres`)
    await server.stop()
  }
})
