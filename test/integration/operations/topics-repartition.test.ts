import { expect, onTestFinished, test } from 'vitest'

import { loadConfig } from '#config'
import {
  eventTopic,
  partitionFor,
  repartitionJournal,
  repartitionTopic,
  snapshotTopic,
  type StreamId,
} from '#domain'
import type { StoredEvent } from '#event-log/records'
import { Topics } from '#kafka'
import { type OperationProgress, planRepartition } from '#operations'
import { type Connections, withConnections } from '#service'

import { Repartition } from '#operations/testing'
import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { byStream, expectIndexEqualsLog, expectSound, readLog } from '../../support/append/log-check.ts'
import {
  appendPast,
  openDirectBackends,
  placeOf,
  purchaseRecord,
} from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { runningSnapshotter, snapshotterInstallation } from '../../support/services/snapshotter-fixture.ts'
import { snapshotAt } from '../../support/snapshots/snapshot-checks.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { caughtUp, viewsOf } from '../../support/projections/views-check.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
} from '../../support/services/writer-fixture.ts'

const from = 3
const shop = () => snapshotterInstallation({ ANNALS_KAFKA_PARTITIONS: String(from) })
const withPartitions = (where: Installation, partitions: number): Installation => ({
  ...where,
  env: { ...where.env, ANNALS_KAFKA_PARTITIONS_BY_TYPE: `${where.type}=${partitions}` },
})

/** Appends events to many streams, then stops the writer. */
async function filled(where = shop(), streams = 30): Promise<readonly StreamId[]> {
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const ids = Array.from({ length: streams }, () => freshStream(where.type))
  for (let round = 1; round <= 3; round++) {
    await Promise.all(ids.map((streamId, at) => client.append(streamId, purchases(1 + ((at + round) % 4)))))
  }
  await writer.close()
  return ids
}

/** The parts of events that a move must not change. Offsets change. */
const contentOf = async (where: Installation) =>
  new Map(
    [...byStream(await readLog(where))].map(([streamId, events]) => [
      streamId,
      events.map(({ offset, ...rest }: StoredEvent) => ({
        ...rest,
        value: rest.value.toString('hex'),
        offset: offset >= 0,
      })),
    ]),
  )

const topicsLeft = async ({ cluster }: Pick<Connections, 'cluster'>, type: string) =>
  (await new Topics(cluster).describe([repartitionTopic(type), repartitionJournal(type)])).map(
    ({ name }) => name,
  )

interface Attempt {
  readonly crashAfter: number
  readonly partitions?: number
}

/** Runs a move in this process. It fails after `crashAfter` records were read. */
const attempt = (where: Installation, { crashAfter, partitions }: Attempt) => {
  let seen = 0
  const advance = (records: number) => {
    seen += records
    if (seen > crashAfter) throw new Error('crashed')
  }
  const config = loadConfig(where.env)
  const options = {
    aggregateType: where.type,
    partitions,
    settleMs: 0,
    signal: new AbortController().signal,
    notify: () => undefined,
    advance,
  }
  return withConnections(config, (connections) => new Repartition(connections, config, options).run())
}

test(
  'a topic is moved to more partitions, then to fewer, and services resume each time',
  { timeout: 180_000 },
  async () => {
    const where = shop()
    const ids = await filled(where)
    const writer = await runningWriter(where)
    const snapshotter = await runningSnapshotter(where, writer)
    const projector = await runningProjector(where)
    const client = testClient({ url: writer.url })
    await client.append(ids[0] ?? '', purchases(12))
    await snapshotAt(client, ids[0] as StreamId, (await client.info(ids[0] ?? '')).version)
    const { lifetime } = where.domain.projections
    await caughtUp(projector.url, lifetime)
    const views = await viewsOf(projector.url, lifetime)
    const annals = cliHere(where.env)
    const busy = await annals(['topics', 'repartition', where.type, '--partitions', '5', '--yes'])
    expect(busy).toMatchObject({ exitCode: 1, stdout: '' })
    expect(busy.stderr).toMatch(
      /^group \S+ has 1 member: waiting up to 21 s.*\nerror: group \S+ has 1 member \(from \S+\): stop every writer/,
    )
    for (const service of [projector, snapshotter, writer]) await service.close()

    const before = await contentOf(where)
    const plan = await annals(['topics', 'repartition', where.type, '--partitions', '5', '--dry-run'])
    expect(plan).toMatchObject({ exitCode: 0, stderr: '' })
    expect(plan.stdout).toContain(`${eventTopic(where.type)} would be moved from 3 to 5 partitions`)
    const moved = await annals(['topics', 'repartition', where.type, '--partitions', '5', '--yes'])
    expect(moved.exitCode).toBe(0)
    expect(moved.stderr).toMatch(/^(\d+ % .*\n)+$/)
    expect(moved.stdout).toMatch(/events of \S+ from 3 to 5 partitions and compared each/)
    expect(await contentOf(where)).toEqual(before)
    for (const { partition, events } of await readLog(where)) {
      expect(events.every(({ streamId }) => partitionFor(streamId, 5) === partition)).toBe(true)
      const times = events.map(({ timestamp }) => timestamp)
      expect(times).toEqual(times.toSorted())
    }

    const next = withPartitions(where, 5)
    const nextWriter = await runningWriter(next)
    const nextProjector = await runningProjector(next)
    const nextSnapshotter = await runningSnapshotter(next, nextWriter)
    await waitFor('all partitions to be served', () =>
      Promise.resolve(nextWriter.writer.checkServing().owned === 5),
    )
    const nextClient = testClient({ url: nextWriter.url })
    const info = await nextClient.info(ids[1] ?? '')
    expect(
      await nextClient.append(ids[1] ?? '', purchases(1), { expectedVersion: info.version }),
    ).toMatchObject({
      firstVersion: info.version + 1,
    })
    const described = await caughtUp(nextProjector.url, lifetime)
    expect(described.generations).toHaveLength(1)
    const viewsAfter = await viewsOf(nextProjector.url, lifetime)
    expect([...viewsAfter.keys()].sort()).toEqual([...views.keys()].sort())
    await snapshotAt(nextClient, ids[0] as StreamId, (await nextClient.info(ids[0] ?? '')).version)
    for (const service of [nextProjector, nextSnapshotter, nextWriter]) await service.close()
    expectSound(await readLog(next))
    expect(await cliHere(next.env)(['verify', '--views'])).toMatchObject({ exitCode: 0 })

    const toFewer = await cliHere(next.env)([
      'topics',
      'repartition',
      where.type,
      '--partitions',
      '2',
      '--yes',
      '--json',
    ])
    expect(toFewer.json()).toMatchObject({ status: 'moved', from: 5, to: 2 })
    const last = withPartitions(where, 2)
    const lastWriter = await runningWriter(last)
    await waitFor('all partitions to be served', () =>
      Promise.resolve(lastWriter.writer.checkServing().owned === 2),
    )
    await expectIndexEqualsLog(last)
    const direct = await openDirectBackends(last)
    expect(await topicsLeft(direct, where.type)).toEqual([])
    expect(await new Topics(direct.cluster).describe([snapshotTopic(where.type)])).toEqual([])
  },
)

test('a move that crashes at any point loses no event, and can be resumed', async () => {
  const where = shop()
  await filled(where)
  const before = await contentOf(where)
  const records = [...before.values()].reduce((sum, events) => sum + events.length, 0)
  const crashes = [0, 0.5, 1, 1.5, 2, 2.3, 2.8, 3, 3.2, 3.6].map((pass) => Math.floor(pass * records))
  let partitions: number | undefined = 7
  for (const crashAfter of crashes) {
    // The rest of the move may read fewer records than this crash needs.
    const end = await attempt(where, { crashAfter, ...(partitions && { partitions }) }).then(
      () => 'done',
      (error: unknown) => (error as Error).message,
    )
    partitions = undefined
    if (end === 'done') break
    expect(end).toBe('crashed')
  }
  const leftovers = await topicsLeft(await openConnections(where), where.type)
  if (leftovers.length > 0) await attempt(where, { crashAfter: Infinity })
  expect(await contentOf(where)).toEqual(before)
  expect((await readLog(where)).length).toBe(7)
  expect(await topicsLeft(await openConnections(where), where.type)).toEqual([])
})

test('a plan that is aborted while it reads reports that it was interrupted', async () => {
  const where = shop()
  await filled(where)
  const stop = new AbortController()
  const control = {
    signal: stop.signal,
    onProgress: ({ done }: OperationProgress) => {
      if (done > 0) stop.abort()
    },
  }
  const request = { aggregateType: where.type, partitions: 5 }
  const connections = await openConnections(where)
  expect(await planRepartition(loadConfig(where.env), connections, request, control)).toEqual({
    status: 'interrupted',
  })
})

async function openConnections({ env }: Installation): Promise<Connections> {
  const { promise, resolve } = Promise.withResolvers<Connections>()
  const { promise: ended, resolve: end } = Promise.withResolvers<undefined>()
  void withConnections(loadConfig(env), (connections) => {
    resolve(connections)
    return ended
  })
  onTestFinished(() => end(undefined))
  return promise
}

test('an aborted move changes nothing; after the old topic is deleted a move cannot be aborted', async () => {
  const where = shop()
  await filled(where)
  const before = await contentOf(where)
  const records = [...before.values()].reduce((sum, events) => sum + events.length, 0)
  const annals = cliHere(where.env)
  await expect(attempt(where, { crashAfter: 0, partitions: 4 })).rejects.toThrow('crashed')
  const other = await annals(['topics', 'repartition', where.type, '--partitions', '6', '--yes'])
  expect(other.stderr).toContain('is being moved to 4 partitions: finish that first')
  expect(await annals(['topics', 'repartition', where.type, '--abort', '--yes'])).toMatchObject({
    exitCode: 0,
  })
  expect(await contentOf(where)).toEqual(before)
  expect((await readLog(where)).length).toBe(from)

  await expect(attempt(where, { crashAfter: Math.floor(2.5 * records), partitions: 4 })).rejects.toThrow(
    'crashed',
  )
  const late = await annals(['topics', 'repartition', where.type, '--abort', '--yes'])
  expect(late).toMatchObject({ exitCode: 1 })
  expect(late.stderr).toContain('is already deleted: run the move again without --abort')
  expect(await annals(['topics', 'repartition', where.type, '--yes'])).toMatchObject({ exitCode: 0 })
  expect(await contentOf(where)).toEqual(before)
})

test('events appended during a move are never deleted', async () => {
  const where = shop()
  const [streamId] = await filled(where)
  const direct = await openDirectBackends(where)
  const records = (await readLog(where)).flatMap(({ events }) => events).length
  const { topic, partition } = placeOf(streamId as StreamId, where.type, from)
  const late = purchaseRecord(direct, where.type, streamId as StreamId, 1_000)
  const config = loadConfig(where.env)
  let seen = 0
  let appended: Promise<unknown> | undefined
  const advance = (count: number) => {
    seen += count
    if (seen > records) appended ??= appendPast(direct, topic, partition, [late])
  }
  const options = {
    aggregateType: where.type,
    partitions: 4,
    settleMs: 3_000,
    signal: new AbortController().signal,
    notify: () => undefined,
    advance,
  }
  const run = withConnections(config, (connections) => new Repartition(connections, config, options).run())
  await expect(run).rejects.toThrow(/events were appended to partition \d of \S+ after it was copied/)
  await appended
  expect((await readLog(where)).length).toBe(from)
  await attempt(where, { crashAfter: Infinity })
  const events = (await readLog(where)).flatMap((logged) => logged.events)
  expect(events).toHaveLength(records + 1)
  expect(events.some(({ version }) => version === 1_000)).toBe(true)
})
