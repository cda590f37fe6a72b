import { expect, test } from 'vitest'

import { type StreamId } from '#domain'
import { type LogRecord } from '#kafka'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { appendPast, placeOf, purchaseRecord } from '../../support/append/past-the-writer.ts'
import { runningSnapshotter, snapshotterInstallation } from '../../support/services/snapshotter-fixture.ts'
import { snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { Traffic } from '../../support/append/writer-traffic.ts'
import { atRest, env, partitions, foundIn, verified } from '../../support/operations/verified.ts'

test('a sound installation under load has no finding, neither whole nor by sample', async () => {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  await runningSnapshotter(where, writer)
  await runningProjector(where)
  const client = testClient({ url: writer.url })
  const traffic = new Traffic(client, where.domain.types)
  await traffic.waitForMore(300)
  for (const args of [['--views'], ['--sample', '5'], ['--views']]) {
    const { findings, exitCode, counts } = await verified(where, ...args)
    expect(findings).toEqual([])
    expect(exitCode).toBe(0)
    expect(counts['events']).toBeGreaterThan(0)
    await traffic.waitForMore(50)
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

test('records that no writer would append are found and reported with their position', async () => {
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
  expect(foundIn(ofLog).sort()).toEqual(
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

test('an unknown type and unreachable servers are reported in one line', async () => {
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
