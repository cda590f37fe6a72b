import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient, type PartitionOwner } from '#client'
import { eventTopic } from '#domain'
import { type GroupTable, KafkaCluster, readGroup } from '#kafka'

import { cliHere } from '../../support/cli/cli-here.ts'
import { assignmentBytes, joinAsForeign, recordingServer } from '../../support/kafka/foreign-member.ts'
import type { Installation, RealWriter } from '../../support/services/real-writer.ts'
import { testStack, waitFor } from '../../support/stack/stack.ts'
import {
  purchase,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const partitions = 4
const settings = {
  ANNALS_KAFKA_PARTITIONS: String(partitions),
  ANNALS_WRITER_ROUTING_TIMEOUT: '1s',
  ANNALS_WRITER_SESSION_TIMEOUT: '6s',
}
const groupOf = ({ env }: Installation): string => env['ANNALS_WRITER_GROUP'] ?? ''
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

/** Waits until the group is stable and meets a condition. */
async function settled(where: Installation, isSo: (group: GroupTable) => boolean): Promise<void> {
  const cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'test' })
  try {
    await waitFor('the group to settle', async () => {
      const group = await readGroup(cluster, groupOf(where))
      return group !== undefined && isSo(group)
    })
  } finally {
    await cluster.close()
  }
}

async function ownersOf({ url }: RealWriter): Promise<readonly PartitionOwner[]> {
  const response = await fetch(`${url}/owners`)
  expect(response.status).toBe(200)
  return ((await response.json()) as { partitions: PartitionOwner[] }).partitions
}

/** Appends to a stream of each partition with the SDK, without time for many retries. */
async function appendEverywhere(where: Installation, writer: RealWriter): Promise<void> {
  const client = new AnnalsClient({ url: writer.url, retries: { totalMsMax: 5_000 } })
  try {
    const streams = streamPerPartition(where.type, partitions)
    const appends = streams.map((streamId) => client.append(streamId, [purchase()]))
    expect((await Promise.all(appends)).map(({ firstVersion }) => firstVersion)).toEqual([1, 1, 1, 1])
  } finally {
    await client.close()
  }
}

const foreignCount = async ({ metrics }: RealWriter): Promise<string | undefined> =>
  /^annals_writer_foreign_members (\d+)$/m.exec(await metrics.metrics())?.[1]

/** Doctor's findings about members of the group. */
async function doctorOn(where: Installation): Promise<unknown> {
  const report = await cliHere(where.env)(['doctor', '--json'])
  const { findings } = report.json() as { findings: { subject: string; status: string; message: string }[] }
  return findings.filter(({ subject }) => subject.startsWith('member '))
}

test.each([
  ['bytes that are not JSON', Buffer.from([0xff, 0x00, 0xfe, 0x7b])],
  ['nothing', Buffer.alloc(0)],
  ['JSON of the wrong shape', json({ url: ['http://127.0.0.1:1'], owned: 'all' })],
  ['null', json(null)],
  ['an invalid URL', json({ url: 'javascript:alert(1)', instance: 'i', memberId: '', owned: {} })],
])('a member whose metadata is %s has no partitions and stops nothing', async (_, userData) => {
  const where = testInstallation(settings)
  const writer = await runningWriter(where)
  await joinAsForeign({ groupId: groupOf(where), topic: eventTopic(where.type), userData })
  await settled(where, ({ owners, foreign }) => foreign.length === 1 && owners.size === partitions)
  await appendEverywhere(where, writer)
  expect((await ownersOf(writer)).map(({ url }) => url)).toEqual(Array(partitions).fill(writer.url))
  expect(await foreignCount(writer)).toBe('1')
  expect(await doctorOn(where)).toMatchObject([
    { status: 'fail', message: expect.stringContaining('is not a writer: its ') as string },
  ])
})

test('a member that advertises a foreign server has no partitions, and the server gets no append', async () => {
  const beyond = await recordingServer()
  const foreign = await recordingServer(307, { location: `${beyond.url}/appends` })
  const where = testInstallation(settings)
  const writer = await runningWriter(where)
  const userData = json({ url: foreign.url, instance: 'i-1', memberId: '', owned: {} })
  await joinAsForeign({ groupId: groupOf(where), topic: eventTopic(where.type), userData })
  await settled(where, ({ owners, members }) => members.length === 2 && owners.size === partitions)
  await appendEverywhere(where, writer)
  expect((await ownersOf(writer)).map(({ url }) => url)).toEqual(Array(partitions).fill(writer.url))
  expect(await foreignCount(writer)).toBe('1')
  expect(new Set(foreign.requests)).toEqual(new Set(['GET /peers/writer']))
  expect(foreign.headers).not.toContain('authorization')
  expect(beyond.requests).toEqual([])
  expect(await doctorOn(where)).toMatchObject([
    { status: 'fail', message: expect.stringContaining(`the process at ${foreign.url} is not`) as string },
  ])
})

test('a member that copies a writer’s metadata with another URL is detected', async () => {
  const foreign = await recordingServer()
  const where = testInstallation(settings)
  const writer = await runningWriter(where)
  const { instance } = writer.writer
  const userData = json({ url: foreign.url, instance, memberId: '', owned: {} })
  await joinAsForeign({ groupId: groupOf(where), topic: eventTopic(where.type), userData })
  await settled(where, ({ owners, members }) => members.length === 2 && owners.size === partitions)
  await appendEverywhere(where, writer)
  expect(new Set(foreign.requests)).toEqual(new Set(['GET /peers/writer']))
})

test('a member whose URL does not answer has no partitions', async () => {
  const away = await recordingServer(503)
  const where = testInstallation(settings)
  const writer = await runningWriter(where)
  const userData = json({ url: away.url, instance: 'i-1', memberId: '', owned: {} })
  await joinAsForeign({ groupId: groupOf(where), topic: eventTopic(where.type), userData })
  await settled(where, ({ owners, members }) => members.length === 2 && owners.size === partitions)
  await appendEverywhere(where, writer)
  expect(new Set(away.requests)).toEqual(new Set(['GET /peers/writer']))
})

test('a member’s subscription to missing topics does not stop the leader', async () => {
  const where = testInstallation(settings)
  const writer = await runningWriter(where)
  const { clusterId } = writer.backends.cluster
  const instance = 'i-1'
  const there = await recordingServer(200, {}, { clusterId, groupId: groupOf(where), instance })
  await joinAsForeign({
    ...{ groupId: groupOf(where), topic: eventTopic(where.type) },
    topics: ['__proto__', 'a b/c', 'no-such-topic'],
    userData: json({ url: there.url, instance, memberId: '', owned: {} }),
  })
  await settled(where, ({ owners, members }) => members.length === 2 && owners.size === partitions)
  const owners = await ownersOf(writer)
  expect(owners.filter(({ url }) => url === there.url)).toHaveLength(partitions / 2)
})

test('a foreign leader keeps the partitions, its server gets nothing, and writers resume when it leaves', async () => {
  const foreign = await recordingServer()
  const where = testInstallation(settings)
  // Creates the topic.
  await (await runningWriter(where)).close()
  const topic = eventTopic(where.type)
  const leader = await joinAsForeign({
    groupId: groupOf(where),
    topic,
    userData: json({ url: foreign.url, instance: 'i-1', memberId: '', owned: {} }),
    assign: (memberIds) =>
      memberIds.map((memberId, index) => ({
        memberId,
        memberAssignment: assignmentBytes(index === 0 ? { [topic]: [0, 1, 2, 3] } : {}),
      })),
  })
  const writer = await runningWriter(where)
  await settled(where, ({ members }) => members.length === 2)
  const owners = await ownersOf(writer)
  expect(owners.map(({ url }) => url).filter((url) => url !== undefined && url !== writer.url)).toEqual([])
  const client = new AnnalsClient({ url: writer.url, retries: { triesMax: 1 } })
  onTestFinished(() => client.close())
  const [streamId = ''] = streamPerPartition(where.type, partitions)
  const owned = owners.filter(({ url }) => url === writer.url).length
  if (owned === 0) {
    await expect(client.append(streamId, [purchase()])).rejects.toMatchObject({ code: 'not-owner' })
  }
  await leader.disconnect()
  await settled(where, (group) => group.members.length === 1 && group.owners.size === partitions)
  await appendEverywhere(where, writer)
  expect(foreign.requests.filter((request) => request !== 'GET /peers/writer')).toEqual([])
})

/** A server that answers as a writer would, but knows no secret. */
async function impostorOf(where: Installation, { backends }: RealWriter) {
  const { clusterId } = backends.cluster
  const instance = 'i-1'
  const server = await recordingServer(200, {}, { clusterId, groupId: groupOf(where), instance })
  return { ...server, instance }
}

test('with a secret, a member that cannot prove to be a writer has no partitions and gets no requests', async () => {
  const where = testInstallation({ ...settings, ANNALS_PEER_SECRET: 'a secret that only the writers know' })
  const writer = await runningWriter(where)
  const second = await runningWriter(where)
  const impostor = await impostorOf(where, writer)
  const userData = json({ url: impostor.url, instance: impostor.instance, memberId: '', owned: {} })
  await joinAsForeign({ groupId: groupOf(where), topic: eventTopic(where.type), userData })
  await settled(where, ({ owners, members }) => members.length === 3 && owners.size === partitions)
  await appendEverywhere(where, writer)
  const owners = (await ownersOf(writer)).map(({ url }) => url)
  expect(new Set(owners)).toEqual(new Set([writer.url, second.url]))
  expect(await foreignCount(writer)).toBe('1')
  expect(impostor.requests.length).toBeGreaterThan(0)
  for (const request of impostor.requests)
    expect(request).toMatch(/^GET \/peers\/writer\?challenge=[\w-]{43}$/)
  expect(impostor.headers.filter((name) => /annals|authorization/.test(name))).toEqual([])
  expect(await doctorOn(where)).toMatchObject([
    { status: 'fail', message: expect.stringContaining(`the process at ${impostor.url} is not`) as string },
  ])
})

test('a member at a host that is not allowed has no partitions, and its server gets no request at all', async () => {
  const where = testInstallation({ ...settings, ANNALS_PEER_HOSTS: 'writer-1,127.0.0.1' })
  const writer = await runningWriter(where)
  const impostor = await impostorOf(where, writer)
  const url = impostor.url.replace('127.0.0.1', 'localhost')
  const userData = json({ url, instance: impostor.instance, memberId: '', owned: {} })
  await joinAsForeign({ groupId: groupOf(where), topic: eventTopic(where.type), userData })
  await settled(where, ({ owners, members }) => members.length === 2 && owners.size === partitions)
  await appendEverywhere(where, writer)
  expect((await ownersOf(writer)).map(({ url: at }) => at)).toEqual(Array(partitions).fill(writer.url))
  expect(await foreignCount(writer)).toBe('1')
  expect(await doctorOn(where)).toMatchObject([
    { status: 'fail', message: expect.stringContaining('is not allowed by ANNALS_PEER_HOSTS') as string },
  ])
  expect(impostor.requests).toEqual([])
})

test('a writer whose own URL is not allowed does not start', async () => {
  const where = testInstallation({ ...settings, ANNALS_PEER_HOSTS: 'writer-1' })
  await expect(runningWriter(where)).rejects.toThrow(/ANNALS_ADVERTISED_URL or ANNALS_PEER_HOSTS/)
})
