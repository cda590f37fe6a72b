import { expect, test } from 'vitest'

import { aggregateIdOf, snapshotTopic, type StreamId } from '#domain'
import { type LogRecord } from '#kafka'
import type { Backends } from '#service'

import { testClient } from '../../support/services/closing.ts'
import { openIndex } from '../../support/index/index-keys.ts'
import { appendPast, openDirectBackends, placeOf } from '../../support/append/past-the-writer.ts'
import { runningSnapshotter, snapshotterInstallation } from '../../support/services/snapshotter-fixture.ts'
import { snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { atRest, env, partitions, foundIn, verified } from '../../support/operations/verified.ts'

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
  return { where, streams, hands: await openDirectBackends(where) }
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
  expect(foundIn(verification).sort()).toEqual(
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
  const hands = await openDirectBackends(where)
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
