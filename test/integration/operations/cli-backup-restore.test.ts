import { rmSync, truncateSync } from 'node:fs'

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { deadLetterTopic, eventTopic, restoreJournal, type StreamId, type Version } from '#domain'
import { FencedLog, GroupMembership, KafkaCluster, LogReader, type StoredRecord, Topics } from '#kafka'
import { schemaIdOf, SchemaRegistry } from '#schemas'

import {
  appendSome,
  backupsIn,
  contentOf,
  filesIn,
  filledInstallation,
  freshStreams,
  heavyInstallation,
  partitions,
  recordsOf,
  testFolder,
} from '../../support/operations/backup-source.ts'
import { annalsOf, cliHere } from '../../support/cli/cli-here.ts'
import { type CliProcess, startCli } from '../../support/cli/cli-process.ts'
import { testClient } from '../../support/services/closing.ts'
import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { expectIndexEqualsLog, expectSound, readLog } from '../../support/append/log-check.ts'
import { openDirectBackends } from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { poisonCds, poisonInstallation } from '../../support/services/poison-domain.ts'
import { movedTo, startSecondStack } from '../../support/stack/second-stack.ts'
import type { OpenStack } from '../../support/stack/stack-variants.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'
import { caughtUp, viewsOf } from '../../support/projections/views-check.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningProjector,
  runningWriter,
} from '../../support/services/writer-fixture.ts'

let second: OpenStack
beforeAll(async () => {
  second = await startSecondStack()
  // Registers other schemas first, so that schema ids differ between the clusters.
  const registry = new SchemaRegistry({ url: second.stack.registryUrl })
  for (const type of ['int', 'long', 'float', 'double', 'bytes']) {
    await registry.register(`others-${type}`, JSON.stringify({ type }))
  }
}, 180_000)
afterAll(() => second.close())

const schemaIds = (records: readonly (readonly StoredRecord[])[]) =>
  new Set(records.flat().map(({ value }) => schemaIdOf(value ?? Buffer.alloc(0))))

test(
  'a full and an incremental backup are restored into another cluster, and services resume there',
  { timeout: 180_000 },
  async () => {
    const here = await filledInstallation()
    const there = movedTo(here, second)
    const folder = testFolder()
    await annalsOf(here)(['backup', folder])
    const late = freshStreams(here.type, 3)
    await appendSome(here, late)
    await annalsOf(here)(['backup', folder])
    const before = await recordsOf(here)
    const config = { ...there.env, ANNALS_KAFKA_PARTITIONS: '7' }
    const dry = await cliHere(config)(['restore', folder, '--dry-run'])
    expect(dry).toMatchObject({ exitCode: 0 })
    expect(dry.stdout).toMatch(/is intact\. Its state at \S+ would be restored: 115 events/)
    expect(dry.stdout).toContain(`${eventTopic(here.type)}: 115 events in ${partitions} partitions`)
    expect(dry.stdout).toContain('ANNALS_KAFKA_PARTITIONS was 3, here 7')
    expect(await recordsOf(there)).toEqual([])

    const restored = await annalsOf(there)(['restore', folder, '--verify', '--json'])
    expect(restored.json()).toMatchObject({
      ...{ status: 'restored', events: 115, resumed: false, idsChanged: 1, settings: [] },
      verification: { sound: true, counts: { events: 115 } },
    })
    const after = await recordsOf(there)
    expect(contentOf(after)).toEqual(contentOf(before))
    expect(schemaIds(after)).not.toEqual(schemaIds(before))
    const direct = await openDirectBackends(there)
    const [topic] = await new Topics(direct.cluster).describe([eventTopic(here.type)])
    expect(topic).toMatchObject({ partitions, configs: { 'retention.ms': '-1', 'cleanup.policy': 'delete' } })
    expect(await new Topics(direct.cluster).describe([restoreJournal(here.type)])).toEqual([])
    const again = await annalsOf(there)(['restore', folder])
    expect(again).toMatchObject({ exitCode: 1, stdout: '' })
    expect(again.stderr).toContain(`${eventTopic(here.type)} already contains records`)

    await expectServed(here, there, late)
  },
)

/** Expects services in the second cluster to build the same views and to append to the restored streams. */
async function expectServed(
  here: Installation,
  there: Installation,
  [streamId]: readonly StreamId[],
): Promise<void> {
  const name = here.domain.projections.lifetime
  const [viewsHere, viewsThere] = [await views(here, name), await views(there, name)]
  expect(viewsThere).toEqual(viewsHere)
  const writer = await runningWriter(there)
  const client = testClient({ url: writer.url })
  const result = await client.append(streamId ?? '', purchases(1), { expectedVersion: 5 as Version })
  expect(result.firstVersion).toBe(6)
  await expectIndexEqualsLog(there)
  expect(await annalsOf(there)(['verify', '--views'])).toMatchObject({ exitCode: 0 })
  await writer.close()
  expectSound(await readLog(there))
}

async function views(where: Installation, name: string) {
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  await caughtUp(projector.url, name)
  const built = await viewsOf(projector.url, name)
  await projector.close()
  await writer.close()
  return new Map([...built].sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('an earlier backup of the chain is restored by its name, or by time', { timeout: 120_000 }, async () => {
  const here = await filledInstallation(4)
  const there = movedTo(here, second)
  const folder = testFolder()
  await annalsOf(here)(['backup', folder])
  const before = await recordsOf(here)
  const betweenMs = Date.now()
  await appendSome(here, freshStreams(here.type, 4))
  await annalsOf(here)(['backup', folder])
  const [first = '', last = ''] = backupsIn(folder)
  const annals = annalsOf(there)
  const dry = async (...args: string[]) =>
    (await annals(['restore', folder, '--dry-run', '--json', ...args])).json()
  expect(await dry()).toMatchObject({ backup: last, events: 40 })
  expect(await dry('--until', new Date(betweenMs).toISOString())).toMatchObject({ backup: first, events: 20 })
  const early = await annals(['restore', folder, '--until', '2001-01-01'])
  expect(early).toMatchObject({ exitCode: 1 })
  expect(early.stderr).toContain('there is no backup that finished by 2001-01-01T00:00:00.000Z')
  expect(await annals(['restore', folder, '--at', 'no-such'])).toMatchObject({ exitCode: 1 })
  truncateSync(filesIn(folder, last)[0] ?? '', 20)
  const damaged = await annals(['restore', folder])
  expect(damaged.stderr).toContain('it is truncated')
  expect(damaged.stderr).toContain(`--at ${first} restores the backup before it`)
  rmSync(filesIn(folder, last)[0] ?? '')
  expect((await annals(['restore', folder])).stderr).toContain('is missing')
  expect(await recordsOf(there)).toEqual([])
  expect(await annals(['restore', folder, '--at', first])).toMatchObject({ exitCode: 0 })
  expect(contentOf(await recordsOf(there))).toEqual(contentOf(before))
})

test(
  'dead letters are restored, and a Redis with the old index is handled',
  { timeout: 120_000 },
  async () => {
    const here = poisonInstallation()
    const streamId = freshStream(here.type)
    const writer = await runningWriter(here)
    await testClient({ url: writer.url }).append(streamId, [purchase(1), purchase(poisonCds), purchase(2)])
    const projector = await runningProjector(here)
    const letters = deadLetterTopic(here.settingAside)
    await waitFor('a dead letter', async () => (await recordsOf(here, letters)).flat().length > 0)
    await projector.close()
    await expectIndexEqualsLog(here)
    await writer.close()
    const folder = testFolder()
    const backedUp = (await annalsOf(here)(['backup', folder, '--json'])).json()
    expect(backedUp['topics']).toEqual([
      { name: eventTopic(here.type), events: 3 },
      { name: letters, events: 1 },
    ])
    const moved = movedTo(here, second)
    const there = { ...moved, env: { ...moved.env, ANNALS_REDIS_URL: here.env['ANNALS_REDIS_URL'] ?? '' } }
    expect(await annalsOf(there)(['restore', folder])).toMatchObject({ exitCode: 0 })
    for (const topic of [eventTopic(here.type), letters]) {
      expect(contentOf(await recordsOf(there, topic))).toEqual(contentOf(await recordsOf(here, topic)))
    }
    const next = await runningWriter(there)
    const client = testClient({ url: next.url })
    expect(await client.append(streamId, [purchase(3)], { expectedVersion: 3 as Version })).toMatchObject({
      firstVersion: 4,
    })
    await expectIndexEqualsLog(there)
  },
)

/**
 * Starts a restore and resolves once it has written more records. Its connections to Kafka pass through this process, so it makes no
 * progress while the test is suspended.
 */
async function restoring({ env, type }: Installation, folder: string): Promise<CliProcess> {
  const { cluster } = await openDirectBackends({ env: { ...env, ANNALS_DOMAIN: '' } })
  const proxy = await KafkaProxy.start(env['ANNALS_KAFKA_BROKERS'] ?? '')
  onTestFinished(() => proxy.close())
  const before = await recordsThere(cluster, type)
  const run = startCli({ ...env, ANNALS_KAFKA_BROKERS: proxy.address }, ['restore', folder])
  await waitFor(
    'some records to be restored',
    async () => {
      if (run.process.exitCode !== null) throw new Error('the restore ended early')
      return (await recordsThere(cluster, type)) > before + 1_000
    },
    { timeoutMs: 60_000 },
  )
  return run
}

async function recordsThere(cluster: KafkaCluster, type: string): Promise<number> {
  const [topic] = await new Topics(cluster).describe([eventTopic(type)])
  if (topic === undefined) return 0
  const reader = new LogReader(cluster)
  const ends = await Promise.all([0, 1, 2].map((partition) => reader.endOffset(topic.name, partition)))
  return ends.reduce((sum, end) => sum + end, 0)
}

test(
  'a killed and an interrupted restore are resumed: no event is missing or duplicated',
  { timeout: 180_000 },
  async () => {
    const here = await heavyInstallation()
    const there = movedTo(here, second)
    const folder = testFolder()
    await annalsOf(here)(['backup', folder])
    const before = await recordsOf(here)
    const killed = await restoring(there, folder)
    killed.process.kill('SIGKILL')
    await killed.ended
    await expect(runningWriter(there)).rejects.toThrow('is being restored from a backup')
    const refused = await annalsOf(there)(['backup', testFolder()])
    expect(refused.stderr).toContain('events are being moved or restored')
    expect((await annalsOf(there)(['restore', folder, '--dry-run'])).stdout).toContain(
      'An interrupted restore would be resumed',
    )
    const interrupted = await restoring(there, folder)
    interrupted.process.kill('SIGINT')
    const end = await interrupted.ended
    expect(end).toMatchObject({ exitCode: 130 })
    expect(end.stdout).toContain('Interrupted; nothing is lost: the same command resumes')
    const done = await annalsOf(there)(['restore', folder, '--json'])
    expect(done.json()).toMatchObject({ status: 'restored', resumed: true, events: 15_000 })
    expect(contentOf(await recordsOf(there))).toEqual(contentOf(before))
  },
)

test('the restore of another backup and foreign events are left alone', { timeout: 120_000 }, async () => {
  const here = await heavyInstallation()
  const there = movedTo(here, second)
  const [folder, other] = [testFolder(), testFolder()]
  await annalsOf(here)(['backup', folder])
  await annalsOf(here)(['backup', other])
  const killed = await restoring(there, folder)
  killed.process.kill('SIGKILL')
  await killed.ended
  const refused = await annalsOf(there)(['restore', other])
  expect(refused).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain(`a restore of ${backupsIn(folder)[0] ?? ''} was started here`)
  const { cluster } = await openDirectBackends({ env: { ...there.env, ANNALS_DOMAIN: '' } })
  const log = new FencedLog(cluster, eventTopic(here.type), 0)
  await log.takeOver()
  await log.append([{ key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestampMs: 1 }])
  log.close()
  const foreign = await annalsOf(there)(['restore', folder])
  expect(foreign).toMatchObject({ exitCode: 1 })
  expect(foreign.stderr).toContain(
    `partition 0 of ${eventTopic(here.type)} contains events that are not from this backup`,
  )
})

test('a restore is refused while services run, or if the topic has another number of partitions', async () => {
  const here = await filledInstallation(2)
  const there = movedTo(here, second)
  const folder = testFolder()
  await annalsOf(here)(['backup', folder])
  const writer = await runningWriter(there)
  const busy = await annalsOf(there)(['restore', folder])
  expect(busy).toMatchObject({ exitCode: 1 })
  expect(busy.stderr).toContain('stop every writer')
  await writer.close()
  expect(await annalsOf(there)(['restore', folder, '--dry-run'])).toMatchObject({ exitCode: 0 })
  const { cluster } = await openDirectBackends({ env: { ...there.env, ANNALS_DOMAIN: '' } })
  await new Topics(cluster).delete(eventTopic(here.type))
  await new Topics(cluster).ensure([
    { name: eventTopic(here.type), partitions: 5, replication: 1, configs: {} },
  ])
  const other = await annalsOf(there)(['restore', folder])
  expect(other.stderr).toContain('with 5 partitions instead of 3')
})

/** Joins the writers' group in the second cluster through a proxy. Closing the proxy disconnects the member. */
async function memberOf(where: Installation) {
  const [broker = ''] = second.stack.kafkaBrokers
  const proxy = await KafkaProxy.start(broker)
  const topic = uniqueName('eventstore.other')
  const direct = await KafkaCluster.connect({ brokers: [broker], clientId: 'member' })
  await new Topics(direct).ensure([{ name: topic, partitions: 1, replication: 1, configs: {} }])
  await direct.close()
  const cluster = await KafkaCluster.connect({ brokers: [proxy.address], clientId: 'member' })
  const member = new GroupMembership({
    ...{ cluster, topics: [topic], groupId: where.env['ANNALS_WRITER_GROUP'] ?? '', sessionTimeoutMs: 6_000 },
    ...{ advertisedUrl: 'http://127.0.0.1:1', onAssigned: () => undefined, onRevoked: () => undefined },
  })
  await member.start()
  onTestFinished(async () => {
    await proxy.close().catch(() => undefined)
    await member.stop()
    await cluster.close()
  })
  return proxy
}

const briefSessions = Object.fromEntries(
  ['WRITER', 'SNAPSHOTTER', 'PROJECTOR'].map((service) => [`ANNALS_${service}_SESSION_TIMEOUT`, '6s']),
)

test('a restore waits for the session of a lost member to end, and is refused while a member is alive', async () => {
  const here = await filledInstallation()
  const there = movedTo(here, second)
  const folder = testFolder()
  await annalsOf(here)(['backup', folder])
  const annals = cliHere({ ...there.env, ...briefSessions })

  const proxy = await memberOf(there)
  const refused = await annals(['restore', folder])
  expect(refused).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toMatch(/group \S+ has \d members?: waiting up to 19 s/)
  expect(refused.stderr).toMatch(
    /error: group \S+ has \d members? \(from \S+\): stop every writer, then run this again/,
  )

  await proxy.close()
  const restored = await annals(['restore', folder])
  expect(restored).toMatchObject({ exitCode: 0 })
  expect(restored.stderr).toMatch(/group \S+ has \d members?: waiting up to 19 s/)
}, 120_000)
