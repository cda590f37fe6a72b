import { setTimeout as delay } from 'node:timers/promises'

import { AnnalsClient } from '#client'
import { FencedLog, KafkaCluster, LogReader, GroupMembership, Topics } from '#kafka'
import { PostgresViewStore } from '#projections-postgres'
import { RedisViewStore } from '#projections-redis'
import { connectRedis } from '#redis-index'
import { SchemaRegistry } from '#schemas'

// Uses failing servers with the clients of the services. An uncaught error ends this process, which its parent detects.

interface Use {
  readonly calls: readonly (() => Promise<unknown>)[]
  readonly close: () => unknown
}

const projection = { name: 'sales', indexNames: ['spend'] }
const set = { projection, generation: 'g' }
const source = { topic: 'eventstore.order', partition: 0 }
const change = { key: 'a', expected: 0, json: '{}', indexes: { spend: 1 }, changedAtMs: 1 }
const generation = { id: 'g', viewVersion: 1, indexNames: ['spend'], createdAtMs: 1, topicIds: {}, range: {} }

function usePostgres(port: number): Use {
  const store = PostgresViewStore.open({
    url: `postgres://user:secret@127.0.0.1:${port}/db`,
    timeoutMs: 150,
    connectionsMax: 2,
  })
  return {
    calls: [
      () => store.prepare(),
      () => store.generations.list(projection),
      () => store.generations.add(projection, generation),
      () => store.views.read(set, ['a']),
      () => store.views.commit(set, { source, from: undefined, to: 1, changes: [change], parked: [] }),
      () => store.views.find(projection, 'a'),
    ],
    close: () => store.close(),
  }
}

function useRedis(port: number): Use {
  const redis = [false, true].map((cluster) =>
    connectRedis({ url: `redis://127.0.0.1:${port}`, keyPrefix: 'test', cluster, commandTimeoutMs: 150 }),
  )
  const stores = redis.map((it) => new RedisViewStore(it))
  return {
    calls: redis.flatMap((connection, at) => [
      () => connection.ready(300),
      () => connection.call('GET', ['a']),
      () => stores[at]?.views.read(set, ['a', 'b']) ?? Promise.resolve(),
      () => stores[at]?.generations.list(projection) ?? Promise.resolve(),
    ]),
    close: () => {
      for (const it of redis) it.close()
    },
  }
}

function useHttp(port: number): Use {
  const url = `http://127.0.0.1:${port}`
  const client = new AnnalsClient({
    url,
    timeoutMs: 150,
    retries: { triesMax: 2, delayMsMin: 1, delayMsMax: 5 },
  })
  const registry = new SchemaRegistry({ url, timeoutMs: 150, retries: 1, retryDelayMs: 1 })
  return {
    calls: [
      () => registry.schemaById(7),
      () => registry.register('order-value', '{"type":"string"}'),
      () => client.load('order-1'),
      () => client.append('order-1', [{ type: 'OrderPlaced', data: {} }]),
      async () => {
        for await (const event of client.subscribe('order', {}, { signal: AbortSignal.timeout(300) }))
          return event
        return undefined
      },
    ],
    close: () => client.close(),
  }
}

/** Topic and group exist. The failing step decides which call fails first. */
function useKafka(port: number): Use {
  const settings = {
    brokers: [`127.0.0.1:${port}`],
    clientId: 'failing',
    requestTimeoutMs: 200,
    connectTimeoutMs: 200,
  }
  const [topic = '', groupId = ''] = names
  const opened: KafkaCluster[] = []
  const withCluster = async <T>(work: (cluster: KafkaCluster) => Promise<T>): Promise<T> => {
    const cluster = await KafkaCluster.connect(settings, { timeoutMs: 500 })
    opened.push(cluster)
    return work(cluster)
  }
  const join = (cluster: KafkaCluster): Promise<void> => {
    const ownership = new GroupMembership({
      cluster,
      groupId: `${groupId}-${port}`,
      topics: [topic],
      advertisedUrl: 'http://127.0.0.1:1',
      onAssigned: () => undefined,
      onRevoked: () => undefined,
      sessionTimeoutMs: 6_000,
      startTimeoutMs: 1_000,
    })
    return ownership.start().finally(() => ownership.stop())
  }
  const append = async (cluster: KafkaCluster): Promise<unknown> => {
    const log = new FencedLog(cluster, topic, 0, { appendTimeoutMs: 500, takeOverTimeoutMs: 500 })
    await log.takeOver()
    return log.append([{ key: Buffer.from('a'), value: Buffer.from('b'), headers: [], timestampMs: 1 }])
  }
  const read = async (cluster: KafkaCluster): Promise<unknown> => {
    const reader = new LogReader(cluster, { timeoutMs: 500 })
    for await (const records of reader.read(topic, 0, { from: 0 })) return records
    return undefined
  }
  return {
    calls: [
      () => withCluster((cluster) => new Topics(cluster, 500).describe([topic])),
      () => withCluster(append),
      () => withCluster(read),
      // The client decides how long joining takes. It continues after this call.
      () => Promise.race([withCluster(join), delay(2_000, undefined, { ref: false })]),
    ],
    close: () => Promise.all(opened.map((cluster) => cluster.close())),
  }
}

const uses = { postgres: usePostgres, redis: useRedis, http: useHttp, kafka: useKafka } as const
const callMsMax = 5_000
const lingeringMs = 3_000

async function run({ calls, close }: Use): Promise<readonly string[]> {
  const outcomes: string[] = []
  for (const round of [1, 2]) {
    // Concurrently in the second round, to test shared connections.
    const called = round === 1 ? await inTurn(calls) : await Promise.all(calls.map(outcomeOf))
    outcomes.push(...called)
  }
  outcomes.push(await outcomeOf(() => Promise.resolve(close())))
  return outcomes
}

async function inTurn(calls: Use['calls']): Promise<string[]> {
  const outcomes: string[] = []
  for (const call of calls) outcomes.push(await outcomeOf(call))
  return outcomes
}

async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
  const late = new AbortController()
  const tooLate = delay(callMsMax, 'hung', { signal: late.signal }).catch(() => '')
  const called = call().then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.name : 'no error'),
  )
  return Promise.race([called, tooLate]).finally(() => {
    late.abort()
  })
}

const [kind = '', cases = '[]', ...names] = process.argv.slice(2)
const use = uses[kind as keyof typeof uses]
const waiting = (JSON.parse(cases) as [string, number][]).values()
const worker = async (): Promise<void> => {
  for (const [name, port] of waiting) {
    process.stdout.write(`${JSON.stringify({ begins: name })}\n`)
    process.stdout.write(`${JSON.stringify({ name, outcomes: await run(use(port)) })}\n`)
  }
}
await Promise.all(Array.from({ length: 12 }, worker))
// Requests that clients leave open get some time to fail, but do not keep the process alive.
setTimeout(() => process.exit(), lingeringMs).unref()
