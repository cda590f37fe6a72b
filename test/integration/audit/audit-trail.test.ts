import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { type AuditEntry, AuditTopic, AuditTrail, encodeEntry, recordOnce } from '#audit'
import { loadConfig } from '#config'
import { eventTopic } from '#domain'
import { appendUnfenced, KafkaCluster, Topics } from '#kafka'

import { cliHere } from '../../support/cli/cli-here.ts'
import { startCli } from '../../support/cli/cli-process.ts'
import type { Json } from '../../support/cli/cli.ts'
import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

let cluster: KafkaCluster
beforeAll(async () => {
  cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'audit' })
})
afterAll(() => cluster.close())

/** An installation whose trail has a topic of its own. */
function installation(env: Readonly<Record<string, string>> = {}) {
  const settings = {
    ANNALS_KAFKA_BROKERS: testStack().kafkaBrokers.join(','),
    ANNALS_AUDIT_TOPIC: uniqueName('audit'),
    ...env,
  }
  return { env: settings, config: loadConfig(settings), annals: cliHere(settings) }
}

const source = { service: 'writer', instance: 'w-1' }

function openTrail(on: KafkaCluster, where: ReturnType<typeof installation>, timeoutMs?: number) {
  const metrics = new Registry()
  const trail = new AuditTrail({
    ...{
      sink: new AuditTopic(on, where.config, timeoutMs),
      source,
      metrics,
      logger: pino({ level: 'silent' }),
    },
    queue: { entriesMax: 50, bytesMax: 1 << 20 },
  })
  onTestFinished(() => trail.close(100))
  const metric = async (name: string) => {
    const { values = [] } = (await metrics.getSingleMetric(name)?.get()) ?? {}
    return values.reduce((sum, { value }) => sum + value, 0)
  }
  return { trail, metric }
}

const minute = (number: number): number => Date.UTC(2026, 0, 1, 0, number)

const denial = (principal: string, resource: string, timeMs: number): AuditEntry => ({
  ...{ type: 'annals.access.denied', outcome: 'denied', code: 'forbidden', action: 'read', resource, timeMs },
  ...{
    principal: { name: principal, kind: 'key' },
    reason: `no role of ${principal} grants read on ${resource}`,
  },
})

const dropped = (timeMs: number): AuditEntry => ({
  ...{ type: 'annals.dead-letters.dropped', outcome: 'success', action: 'operate', timeMs },
  ...{ resource: 'projection:loans', principal: { name: 'ops', kind: 'jwt' }, requestId: `r-${timeMs}` },
})

type Entry = Readonly<{ time: string; type: string; resource?: string; principal?: { name: string } }>

test('what is recorded is found by period, principal, resource, outcome and type', async () => {
  const where = installation()
  const { trail, metric } = openTrail(cluster, where)
  trail.record(denial('ada', 'order.42', minute(1)))
  trail.record(denial('bob', 'order.43', minute(3)))
  // A service that could write its entry later only.
  trail.record(dropped(minute(2)))
  trail.record(denial('ada', 'projection:loans', minute(4)))
  await trail.close()
  expect(await metric('annals_audit_written_total')).toBe(6)

  const found = async (...args: readonly string[]) => {
    const { json } = await where.annals([
      'audit',
      '--since',
      '2026-01-01',
      '--until',
      '2026-01-02',
      '--json',
      ...args,
    ])
    return (json()['entries'] as readonly Entry[]).map(({ time }) => Number(time.slice(14, 16)))
  }
  expect(await found()).toEqual([1, 2, 3, 4])
  expect(await found('--since', '2026-01-01T00:02:00Z', '--until', '2026-01-01T00:04:00Z')).toEqual([2, 3])
  expect(await found('--principal', 'ada')).toEqual([1, 4])
  expect(await found('--resource', 'order.*')).toEqual([1, 3])
  expect(await found('--resource', 'projection:*', '--outcome', 'success')).toEqual([2])
  expect(await found('--type', 'access.denied', '--resource', 'order.43')).toEqual([3])
  expect(await found('--limit', '2')).toEqual([1, 2])
  const limited = await where.annals(['audit', '--since', '2026-01-01', '--limit', '2'])
  expect(limited.stdout).toContain('There are more: continue with --since 2026-01-01T00:03:00.000Z')
  expect(limited.stdout).toMatch(
    /access\.denied +denied +ada +order\.42 +read +no role of ada grants read on order\.42/,
  )
})

test('the topic keeps entries for the configured time, and a copy of an entry is shown once', async () => {
  const where = installation({ ANNALS_AUDIT_RETENTION: '30d' })
  const topic = where.config.access.auditTopic
  await recordOnce(cluster, where.config, dropped(minute(1)))
  const [described] = await new Topics(cluster).describe([topic])
  expect(described).toMatchObject({
    partitions: 1,
    configs: { 'cleanup.policy': 'delete', 'retention.ms': '2592000000' },
  })
  const again = encodeEntry(dropped(minute(2)), source)
  const foreign = {
    key: Buffer.from('x'),
    value: Buffer.from('not ours'),
    headers: [],
    timestampMs: minute(3),
  }
  await appendUnfenced(cluster, { topic, partition: 0 }, [again, foreign], 10_000)
  await appendUnfenced(cluster, { topic, partition: 0 }, [again], 10_000)
  const read = await where.annals(['audit', '--since', '2026-01-01', '--json'])
  expect(read.json()).toMatchObject({ foreign: 1, topic })
  expect(read.json()['entries']).toHaveLength(2)
})

test('nothing but an owner appends to a topic of events', () => {
  const record = encodeEntry(dropped(0), source)
  const place = { topic: eventTopic('order'), partition: 0 }
  expect(() => appendUnfenced(cluster, place, [record], 1_000)).toThrow('only their owner appends to it')
})

test('while Kafka is away requests are not affected; what does not fit is dropped, counted and reported afterwards', async () => {
  const [broker = ''] = testStack().kafkaBrokers
  const proxy = await KafkaProxy.start(broker)
  onTestFinished(() => proxy.close())
  const where = installation()
  const through = await KafkaCluster.connect({ brokers: [proxy.address], clientId: 'audit' })
  onTestFinished(() => through.close())
  const { trail, metric } = openTrail(through, where, 500)
  await waitFor('the first entry', async () => (await metric('annals_audit_written_total')) === 1)

  const { port } = proxy
  await proxy.close()
  const beganMs = performance.now()
  for (let count = 0; count < 80; count++) trail.record(dropped(minute(1) + count))
  expect(performance.now() - beganMs).toBeLessThan(1_000)
  expect(await metric('annals_audit_dropped_total')).toBe(30)
  await proxy.open(port)
  await waitFor('all entries', async () => (await metric('annals_audit_written_total')) === 52)

  const read = await where.annals(['audit', '--since', '2026-01-01', '--json'])
  const types = (read.json()['entries'] as readonly Entry[]).map(({ type }) => type)
  expect(types.filter((type) => type === 'annals.dead-letters.dropped')).toHaveLength(50)
  const report = await where.annals(['audit', '--type', 'audit.entries-dropped', '--json'])
  expect(report.json()['entries']).toMatchObject([{ count: 30, outcome: 'failure' }])
})

test('an answer that is lost leads to copies in the topic, and to one entry in a search', async () => {
  const [broker = ''] = testStack().kafkaBrokers
  const proxy = await KafkaProxy.start(broker)
  onTestFinished(() => proxy.close())
  const where = installation()
  const through = await KafkaCluster.connect({ brokers: [proxy.address], clientId: 'audit' })
  onTestFinished(() => through.close())
  const { trail, metric } = openTrail(through, where)
  await waitFor('the first entry', async () => (await metric('annals_audit_written_total')) === 1)
  proxy.answersToAppends = 'cut'
  trail.record(dropped(minute(1)))
  await waitFor('a lost answer', () => Promise.resolve(proxy.lost > 0))
  proxy.answersToAppends = 'pass'
  await waitFor('the entry', async () => (await metric('annals_audit_written_total')) === 2)
  const read = await where.annals(['audit', '--since', '2026-01-01', '--type', 'dead-letters.*', '--json'])
  expect(read.json()['entries']).toHaveLength(1)
})

test('--follow prints entries as they are written, as lines', async () => {
  const where = installation()
  await recordOnce(cluster, where.config, dropped(minute(1)))
  const { process, ended } = startCli(where.env, ['audit', '--since', '2026-01-01', '--follow', '--lines'])
  const lines: string[] = []
  process.stdout.on('data', (bytes: Buffer) => void lines.push(...String(bytes).trimEnd().split('\n')))
  await waitFor('the history', () => Promise.resolve(lines.length === 1))
  await recordOnce(cluster, where.config, denial('ada', 'order.42', Date.now()))
  await waitFor('the new entry', () => Promise.resolve(lines.length === 2))
  process.kill('SIGINT')
  expect((await ended).exitCode).toBe(0)
  expect(lines.map((line) => (JSON.parse(line) as Json)['outcome'])).toEqual(['success', 'denied'])
})

test.each([
  [['--type', 'acess.denied'], 2, 'did you mean access.denied?'],
  [['--since', '7x'], 2, 'its unit x is none of'],
  [['--since', 'yesterday'], 2, 'is not a time'],
  [['--since', '1d', '--until', '2d'], 2, '--until must be after --since'],
  [['--follow', '--until', '1m'], 2, '--follow has no end'],
  [['--lines', '--json'], 2, '--json prints one document'],
  [['--outcome', 'maybe'], 2, 'Allowed choices are success, failure, denied'],
])('audit %j is rejected', async (args, exitCode, message) => {
  const where = installation()
  await recordOnce(cluster, where.config, dropped(minute(1)))
  const end = await where.annals(['audit', ...args])
  expect(end.exitCode).toBe(exitCode)
  expect(end.stderr).toContain(message)
})

test('a trail that was never written is named', async () => {
  const where = installation()
  const { exitCode, stderr } = await where.annals(['audit'])
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`there is no topic ${where.config.access.auditTopic} in Kafka cluster`)
})
