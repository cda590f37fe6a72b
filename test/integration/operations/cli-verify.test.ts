import { expect, test } from 'vitest'

import { aggregateIdOf, snapshotTopic, type StreamId } from '#domain'
import { type LogRecord } from '#kafka'
import type { Backends } from '#service'

import type { VerifyFinding } from '#operations'
import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { openIndex } from '../../support/index/index-keys.ts'
import { appendPast, openHands, placeOf, purchaseRecord } from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { runningSnapshotter, snapshotterInstallation } from '../../support/services/snapshotter-fixture.ts'
import { snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { Traffic } from '../../support/append/writer-traffic.ts'

const partitions = 2
const env = { ANNALS_KAFKA_PARTITIONS: String(partitions) }

interface Verified {
  readonly exitCode: number | null
  readonly findings: readonly VerifyFinding[]
  readonly findingsTotal: number
  readonly counts: Readonly<Record<string, number>>
}

async function verified({ env }: Installation, ...args: string[]): Promise<Verified> {
  const end = await cliHere(env)(['verify', ...args, '--json'])
  expect(end.stderr).toBe('')
  return { ...(end.json() as unknown as Verified), exitCode: end.exitCode }
}

/** What was found, by the streams' names; places of partitions are left out. */
const told = ({ findings }: Verified) =>
  findings.map(({ code, where }) => [code, where.streamId, where.version])

/** Streams in the log, some in each partition, and nobody at work. */
async function atRest(events = 3, streams = 4) {
  const where = testInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const others = Array.from({ length: streams - partitions }, () => freshStream(where.type))
  const ids = [...streamPerPartition(where.type, partitions), ...others]
  for (const streamId of ids) await client.append(streamId, purchases(events))
  await writer.close()
  return { where, streams: ids, hands: await openHands(where) }
}

test('a sound installation under load has no finding, neither whole nor by sample', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  await runningSnapshotter(where, writer)
  await runningProjector(where)
  const client = testClient({ url: writer.url })
  const traffic = new Traffic(client, where.domain.types)
  await traffic.goesOn(300)
  for (const args of [['--views'], ['--sample', '5'], ['--views']]) {
    const { findings, exitCode, counts } = await verified(where, ...args)
    expect(findings).toEqual([])
    expect(exitCode).toBe(0)
    expect(counts['events']).toBeGreaterThan(0)
    await traffic.goesOn(50)
  }
  await traffic.stop()
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(11))
  await snapshotAt(client, streamId, 11)
  const still = await verified(where, '--views')
  expect(still.findings).toEqual([])
  expect(still.counts).toMatchObject({ partitions, streams: traffic.streams.length + 1, generations: 2 })
  expect(still.counts['events']).toBe(traffic.acknowledged.length + 11)
  expect(still.counts['snapshots']).toBeGreaterThan(2)
})

test('records that no writer would append are found, and told where they are', async () => {
  const { where, hands, streams } = await atRest()
  const { type } = where
  const add = async (
    streamId: StreamId,
    make: (sound: LogRecord) => LogRecord,
    version = 1,
    elsewhere = 0,
  ) => {
    const { topic, partition } = placeOf(streamId, type, partitions)
    const record = make(purchaseRecord(hands, type, streamId, version))
    await appendPast(hands, topic, (partition + elsewhere) % partitions, [record])
  }
  const header = (name: string, text: string) => (record: LogRecord) => ({
    ...record,
    headers: record.headers.map(([own, value]) => [own, own === name ? text : value] as const),
  })
  const asItIs = (record: LogRecord) => record
  const [gap, twice, misplaced, misnamed, unreadable, early, wrongId] = Array.from({ length: 7 }, () =>
    freshStream(type),
  )
  const [first] = streams as [StreamId]
  await add(first, asItIs, 6)
  await add(gap as StreamId, asItIs, 2)
  await add(twice as StreamId, asItIs)
  await add(twice as StreamId, asItIs)
  await add(misplaced as StreamId, asItIs, 1, 1)
  await add(misnamed as StreamId, (record) => ({ ...record, key: Buffer.from('no-such') }))
  await add(unreadable as StreamId, (record) => ({ ...record, value: Buffer.from('00000000ff00', 'hex') }))
  await add(early as StreamId, (record) =>
    header('ce_time', '1969-07-20T20:17:40.000Z')({ ...record, timestampMs: 5 }),
  )
  await add(wrongId as StreamId, header('ce_id', 'one'))
  const verification = await verified(where)
  const ofLog = { ...verification, findings: verification.findings.filter(({ part }) => part === 'log') }
  expect(verification.exitCode).toBe(1)
  expect(told(ofLog).sort()).toEqual(
    [
      ['version-gap', first, 6],
      ['version-gap', gap, 2],
      ['version-repeated', twice, 1],
      ['wrong-partition', misplaced, undefined],
      ['wrong-key', 'no-such', undefined],
      ['undecodable', unreadable, 1],
      ['wrong-time', early, undefined],
      ['wrong-header', wrongId, undefined],
    ].sort(),
  )
  const text = await cliHere(where.env)(['verify', '--findings-max', '2'])
  expect(text.exitCode).toBe(1)
  expect(text.stdout).toMatch(
    /^Kafka cluster \S+ at \S+\nlog {2}eventstore\.\S+:\d:\d+ \S+( version \d)? {2}\S+: /,
  )
  expect(text.stdout).toMatch(/… and \d+ more: set --findings-max to print them/)
})

test('an event id that is twice in one stream is found; in two streams it is two events', async () => {
  const { where, hands, streams } = await atRest()
  const { type } = where
  const add = async (streamId: StreamId, version: number, id: LogRecord['headers'][number][1]) => {
    const { topic, partition } = placeOf(streamId, type, partitions)
    const record = purchaseRecord(hands, type, streamId, version, { id: String(id) as never })
    await appendPast(hands, topic, partition, [record])
  }
  const [one, other] = [freshStream(type), freshStream(type)]
  const id = '0198c0de-0000-7000-8000-000000000001'
  await add(one, 1, id)
  await add(one, 2, id)
  await add(other, 1, id)
  const { findings } = await verified(where)
  const twice = findings.filter(({ code }) => code === 'event-id-twice')
  expect(twice.map(({ where: at }) => [at.streamId, at.version])).toEqual([[one, 2]])
  expect(twice[0]?.message).toContain(id)
  expect(streams).toHaveLength(4)
})

test('an index that is not the log is found', async () => {
  const { where, streams } = await atRest(3, 6)
  const redis = await openIndex(where)
  const [changed, gone, offset] = streams as [StreamId, StreamId, StreamId]
  const key = (streamId: StreamId, name: string) => {
    const { topic, partition } = placeOf(streamId, where.type, partitions)
    return `{${redis.keyPrefix}:${topic}:${partition}}${name}`
  }
  const record = async (streamId: StreamId) =>
    (await redis.call('HGET', [key(streamId, 'streams'), aggregateIdOf(streamId)])) as Buffer
  const put = (streamId: StreamId, name: string, bytes: Buffer) =>
    redis.call('HSET', [key(streamId, 'streams'), name, bytes])
  await redis.call('APPEND', [key(changed, `t:${aggregateIdOf(changed)}`), Buffer.from('0000000101', 'hex')])
  await redis.call('HDEL', [key(gone, 'streams'), aggregateIdOf(gone)])
  const moved = Buffer.from(await record(offset))
  moved[moved.length - 1] = (moved.at(-1) ?? 0) + 1
  await put(offset, aggregateIdOf(offset), moved)
  await put(offset, 'stranger', await record(offset))
  const { exitCode, findings } = await verified(where)
  expect(exitCode).toBe(1)
  const codes = (streamId: string) =>
    findings.filter((it) => it.where.streamId === streamId).map(({ code }) => code)
  expect(codes(gone)).toEqual(['index-missing-stream'])
  expect(codes(offset)).toEqual(['index-offset'])
  expect(codes(`${where.type}.stranger`)).toEqual(['index-beyond-log'])
  expect(findings.every(({ part }) => part === 'index')).toBe(true)
})

test('an index that is absent, behind, ahead or of another topic is found', async () => {
  const { where, streams, hands } = await atRest(3, 8)
  const redis = await openIndex(where)
  const { topic } = placeOf(streams[0] as StreamId, where.type, partitions)
  const guard = (partition: number) => `{${redis.keyPrefix}:${topic}:${partition}}guard`
  const codes = async () => [...new Set((await verified(where)).findings.map(({ code }) => code))].sort()
  await redis.call('HSET', [guard(0), 'nextOffset', '1'])
  expect(await codes()).toEqual(['index-behind'])
  await redis.call('HSET', [guard(0), 'nextOffset', '100000'])
  expect(await codes()).toEqual(['index-beyond-log'])
  await redis.call('DEL', [guard(0)])
  expect(await codes()).toEqual(['index-missing'])
  await redis.call('HSET', [guard(1), 'topicId', 'another'])
  expect(await codes()).toEqual(['index-missing', 'index-of-another-log'])
  expect(hands.topics).toHaveLength(1)
})

const state = (purchases: number) => ({ purchases, cds: 1, spend: '0.00', first: null, last: null })

async function withSnapshots() {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const snapshotter = await runningSnapshotter(where, writer)
  const client = testClient({ url: writer.url })
  const streams = Array.from({ length: 4 }, () => freshStream(where.type))
  for (const streamId of streams) await client.append(streamId, purchases(12))
  for (const streamId of streams) await snapshotAt(client, streamId, 12)
  await snapshotter.close()
  await writer.close()
  return { where, streams, hands: await openHands(where) }
}

const snapshotRecord = (
  { codec }: Backends,
  type: string,
  streamId: StreamId,
  version: number,
  value = codec.encode(type, 'CustomerState', state(version), 'snapshot'),
): LogRecord => ({
  key: Buffer.from(streamId),
  value,
  headers: [
    ['content-type', 'application/avro'],
    ['streamversion', String(version)],
    ['stateversion', '1'],
    ['timestamp', new Date().toISOString()],
  ],
  timestampMs: Date.now(),
})

test('snapshots that are not the fold of their events are found, in their topic and in Redis', async () => {
  const { where, streams, hands } = await withSnapshots()
  const { type } = where
  const [wrong, beyond, unreadable, inRedis] = streams as [StreamId, StreamId, StreamId, StreamId]
  expect((await verified(where)).counts).toMatchObject({ snapshots: 8, streams: 4 })
  const put = (streamId: StreamId, record: LogRecord) =>
    appendPast(hands, snapshotTopic(type), placeOf(streamId, type, partitions).partition, [record])
  await put(wrong, snapshotRecord(hands, type, wrong, 11))
  await put(beyond, snapshotRecord(hands, type, beyond, 13))
  await put(unreadable, snapshotRecord(hands, type, unreadable, 12, Buffer.from('00ffffffff00', 'hex')))
  const redis = await openIndex(where)
  const { topic, partition } = placeOf(inRedis, type, partitions)
  const key = `{${redis.keyPrefix}:${topic}:${partition}}s:${aggregateIdOf(inRedis)}`
  const stored = (await redis.call('GET', [key])) as Buffer
  const other = hands.codec.encode(type, 'CustomerState', state(1), 'snapshot')
  await redis.call('SET', [key, Buffer.concat([stored.subarray(0, 14), other])])
  const verification = await verified(where)
  expect(told(verification).sort()).toEqual(
    [
      ['snapshot-differs', wrong, 11],
      ['snapshot-beyond-log', beyond, undefined],
      ['snapshot-unreadable', unreadable, 12],
      ['snapshot-differs', inRedis, 12],
    ].sort(),
  )
})

test('checkpoints and views that the log does not make are found', async () => {
  const where = testInstallation(env)
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  const client = testClient({ url: writer.url })
  const streams = Array.from({ length: 4 }, () => freshStream(where.type))
  for (const streamId of streams) await client.append(streamId, purchases(3))
  const { lifetime, monthly } = where.domain.projections
  for (const name of [lifetime, monthly]) await caughtUp(projector.url, name)
  await projector.close()
  await writer.close()
  expect(await verified(where, '--views')).toMatchObject({
    findings: [],
    counts: { views: 5, generations: 2 },
  })

  const { openViewStore } = await import('#service')
  const { loadConfig } = await import('#config')
  const hands = await openHands(where)
  const store = openViewStore(loadConfig(where.env), hands.redis)
  const projection = { name: lifetime, indexNames: ['spend', 'purchases'] }
  const [serving] = await store.generations.list(projection)
  const set = { projection, generation: serving?.id ?? '' }
  const source = { topic: `eventstore.${where.type}`, partition: 0 }
  const checkpoint = serving?.checkpoints.get(`${source.topic}:0`)
  const [changed, gone] = streams.map(aggregateIdOf) as [string, string]
  const views = await store.views.read(set, [changed, gone])
  const change = (key: string, json: string | null) => ({
    ...{ key, json, changedAtMs: 1, indexes: json === null ? {} : { spend: 1, purchases: 1 } },
    expected: views.get(key)?.revision ?? 0,
  })
  const changes = [
    change(changed, '{"purchases":1}'),
    change(gone, null),
    change('stranger', '{"purchases":1}'),
  ]
  const outcome = await store.views.commit(set, {
    source,
    from: checkpoint,
    to: checkpoint ?? 0,
    changes,
    parked: [],
  })
  expect(outcome).toBe('committed')
  const wrong = await verified(where, '--views')
  expect(wrong.findings.map(({ code, where: { key } }) => [code, key]).sort()).toEqual(
    [
      ['view-differs', changed],
      ['view-missing', gone],
      ['view-unknown', 'stranger'],
    ].sort(),
  )
  await store.views.commit(set, { source, from: checkpoint, to: 100_000, changes: [], parked: [] })
  const ahead = await verified(where)
  expect(ahead.findings.map(({ code }) => code)).toEqual(['checkpoint-beyond-log'])
})

test('a type without a topic is an error that names the cluster, and nothing compared is never sound', async () => {
  const where = testInstallation(env)
  for (const command of [
    ['verify'],
    ['verify', where.type],
    ['index', 'verify'],
    ['index', 'rebuild', '--yes'],
  ]) {
    const end = await cliHere(where.env)(command)
    expect(end, command.join(' ')).toMatchObject({ exitCode: 1, stdout: '' })
    expect(end.stderr).toMatch(
      new RegExp(
        `^error: there is no topic eventstore\\.${where.type} in Kafka cluster \\S+ at 127\\.0\\.0\\.1:\\d+\\. `,
      ),
    )
  }
  const writer = await runningWriter(where)
  await writer.close()
  const empty = await cliHere(where.env)(['verify'])
  expect(empty.exitCode).toBe(1)
  expect(empty.stdout).toMatch(
    /^Kafka cluster \S+ at 127\.0\.0\.1:\d+\nlog {2}nothing-compared: nothing to compare/,
  )
  expect(empty.stdout).not.toContain('No findings')
  const some = {
    ...where,
    env: { ...where.env, ANNALS_DOMAIN: `${where.domain.modulePath},examples/orders/domain.ts` },
  }
  const { findings } = await verified(some)
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'topic-missing', where: { topic: 'eventstore.order' } }),
  )
})

test('a type that is not there, and servers that are away, are told in one line', async () => {
  const where = testInstallation(env)
  const unknown = await cliHere(where.env)(['verify', 'nothing'])
  expect(unknown).toMatchObject({ exitCode: 2, stdout: '' })
  expect(unknown.stderr).toContain('has no aggregate type nothing')
  const noRedis = await cliHere({ ...where.env, ANNALS_REDIS_URL: 'redis://127.0.0.1:1' })(['verify'])
  expect(noRedis).toMatchObject({ exitCode: 3, stdout: '' })
  expect(noRedis.stderr).toMatch(/^error: Redis at 127\.0\.0\.1:1/)
  const noKafka = await cliHere({ ...where.env, ANNALS_KAFKA_BROKERS: '127.0.0.1:1' })(['verify'])
  expect(noKafka).toMatchObject({ exitCode: 3, stdout: '' })
})
