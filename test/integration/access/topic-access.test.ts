import { beforeAll, afterAll, expect, onTestFinished, test } from 'vitest'

import { emptyAccess } from '#access'
import { type AccessTopicSettings, TopicAccess, TopicAccessEditor } from '#access-store'
import { accessStoreContract, keyEntry } from '#access-store/testing'
import { FencedLog, KafkaCluster, LogReader, topicConfigs, Topics } from '#kafka'

import { deleteHead, deleteTopic } from '../../support/kafka/harmed-topics.ts'
import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

let cluster: KafkaCluster
beforeAll(async () => {
  cluster = await connected(testStack().kafkaBrokers)
})
afterAll(() => cluster.close())

const connected = (brokers: readonly string[]): Promise<KafkaCluster> =>
  KafkaCluster.connect({ brokers, clientId: 'access' })

const newTopic = (over: KafkaCluster = cluster): AccessTopicSettings => ({
  ...{ cluster: over, topic: uniqueName('annals.access') },
  ...{ replication: 1, minInsyncReplicas: 1 },
})

const here = () => ({ env: { ANNALS_KAFKA_BROKERS: testStack().kafkaBrokers.join(',') } })

/** Writes a record as plain Kafka tools would. */
async function write({ topic }: AccessTopicSettings, key: string, value: string | null): Promise<void> {
  const log = new FencedLog(cluster, topic, 0)
  await log.takeOver()
  const record = { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
  await log.append([{ ...record, headers: [], timestampMs: Date.now() }])
  log.close()
}

accessStoreContract('topic', () => {
  const settings = newTopic()
  return Promise.resolve({
    source: () => new TopicAccess(settings),
    editor: () => new TopicAccessEditor(settings),
    damage: () => write(settings, 'role:clerk', '{"rules": [{"actions": ["reed"], "on": ["*.*"]}]}'),
    repair: () => write(settings, 'role:clerk', null),
  })
})

async function following(settings: AccessTopicSettings, now?: () => number): Promise<TopicAccess> {
  const source = new TopicAccess(settings, now)
  onTestFinished(() => source.stop())
  await source.start()
  return source
}

/** A topic that one cluster object reaches through a proxy, and another without. */
async function behindProxy() {
  const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
  const behind = await connected([proxy.address])
  onTestFinished(async () => {
    await behind.close()
    await proxy.close()
  })
  const settings = newTopic(behind)
  return { proxy, settings, direct: { ...settings, cluster } }
}

const putKey = (settings: AccessTopicSettings, value = keyEntry()) =>
  new TopicAccessEditor(settings).edit(() => [{ kind: 'key', name: value.id, value }])

test('whoever needs the topic first creates it, compacted and with one partition', async () => {
  const settings = newTopic()
  const source = await following(settings)
  expect(source.current).toEqual(emptyAccess)
  const [found] = await new Topics(cluster).describe([settings.topic])
  expect(found).toMatchObject({
    partitions: 1,
    configs: { 'cleanup.policy': 'compact', 'min.insync.replicas': '1' },
  })
})

test('a topic that Kafka would delete records from is reported', async () => {
  const settings = newTopic()
  const spec = { name: settings.topic, partitions: 1, replication: 1, configs: topicConfigs.events }
  await new Topics(cluster).ensure([spec])
  expect((await following(settings)).state.problems).toEqual([
    { entry: settings.topic, message: expect.stringContaining('must be compact') as string },
  ])
})

test('a topic with several partitions is refused, and nobody is admitted', async () => {
  const settings = newTopic()
  const spec = { name: settings.topic, partitions: 2, replication: 1, configs: {} }
  await new Topics(cluster).ensure([spec])
  const source = await following(settings)
  expect(source.current).toBeUndefined()
  expect(source.state).toMatchObject({
    status: 'unread',
    reason: expect.stringContaining('has 2 partitions') as string,
  })
})

test('while Kafka is away the last state stays in force, and changes count when it is back', async () => {
  const { settings, direct, proxy } = await behindProxy()
  const key = keyEntry()
  await putKey(direct, key)
  const source = await following(settings)
  const { port } = proxy
  const lostMs = Date.now()
  await proxy.close()
  await expect.poll(() => source.state.status).toBe('stale')
  expect(source.current?.keys).toEqual([key])
  expect(Math.abs(source.state.sinceMs - lostMs)).toBeLessThan(10_000)
  expect(source.state.reason).toContain(settings.topic)
  const late = await following(settings)
  expect(late.current).toBeUndefined()
  expect(late.state.status).toBe('unread')

  await putKey(direct, { ...key, revokedAt: '2030-02-01T00:00:00.000Z' })
  await proxy.open(port)
  await expect.poll(() => source.current?.keys[0]?.revokedAt).toBe('2030-02-01T00:00:00.000Z')
  expect(source.state.status).toBe('current')
  await expect.poll(() => late.current).toEqual(source.current)
})

test('a reader that was away for hours reads everything again, because tombstones may be gone', async () => {
  const { settings, direct, proxy } = await behindProxy()
  // Kafka deletes no records on request from a topic that is only compacted.
  const configs = { 'cleanup.policy': 'compact,delete' }
  await new Topics(cluster).ensure([{ name: settings.topic, partitions: 1, replication: 1, configs }])
  const [gone, broken] = [keyEntry(), keyEntry()]
  await putKey(direct, gone)
  await putKey(direct, broken)
  let nowMs = Date.now()
  const source = await following(settings, () => nowMs)
  expect(source.current?.keys).toEqual([gone, broken])
  const { port } = proxy
  await proxy.close()
  await expect.poll(() => source.state.status).toBe('stale')
  nowMs += 5 * 3_600_000
  // Nothing is left of the first key, as after its tombstone and compaction.
  await write(direct, `key:${broken.id}`, 'broken')
  const end = await new LogReader(cluster).endOffset(settings.topic, 0)
  await deleteHead(here(), settings.topic, 0, end - 1)
  await proxy.open(port)
  await expect.poll(() => source.state.status).toBe('current')
  expect(source.current?.keys).toEqual([broken])
  expect(source.state.problems.map(({ entry }) => entry)).toEqual([`key:${broken.id}`, settings.topic])
})

test('a topic that was deleted and created again is not read, because it may lack revocations', async () => {
  const settings = newTopic()
  const valid = keyEntry()
  const revoked = { ...valid, revokedAt: '2030-02-01T00:00:00.000Z' }
  await putKey(settings, revoked)
  const source = await following(settings)
  await deleteTopic(here(), settings.topic)
  await expect.poll(() => source.state.status).toBe('stale')
  const another = await connected(testStack().kafkaBrokers)
  onTestFinished(() => another.close())
  await putKey({ ...settings, cluster: another }, valid)
  await expect
    .poll(() => source.state)
    .toMatchObject({
      status: 'replaced',
      reason: expect.stringContaining('restart') as string,
    })
  expect(source.current?.keys).toEqual([revoked])
  const restarted = await following(settings)
  expect(restarted.current?.keys).toEqual([valid])
})

test('a topic that was replaced while Kafka was away is not read, even if it is longer than the one before', async () => {
  const { settings, direct, proxy } = await behindProxy()
  const [revoked, other] = [keyEntry({ revokedAt: '2030-02-01T00:00:00.000Z' }), keyEntry()]
  await putKey(direct, revoked)
  const source = await following(settings)
  const { port } = proxy
  await proxy.close()
  await expect.poll(() => source.state.status).toBe('stale')
  await deleteTopic(here(), settings.topic)
  const another = await connected(testStack().kafkaBrokers)
  onTestFinished(() => another.close())
  for (let edits = 0; edits < 3; edits++) await putKey({ ...settings, cluster: another }, other)
  await proxy.open(port)
  await expect.poll(() => source.state.status).toBe('replaced')
  expect(source.state.reason).toContain('was deleted and created again')
  expect(source.current?.keys).toEqual([revoked])
})

test('an edit that another one overtook decides again, on the state after that one', async () => {
  const { settings, direct, proxy } = await behindProxy()
  await putKey(direct)
  const key = keyEntry()
  const putOnce = (of: AccessTopicSettings) =>
    new TopicAccessEditor(of).edit(({ keys }) => {
      if (keys.some(({ id }) => id === key.id)) throw new Error('it exists')
      return [{ kind: 'key', name: key.id, value: key }]
    })
  proxy.holdAppends()
  const overtaken = putOnce(settings)
  overtaken.catch(() => undefined)
  await expect.poll(() => proxy.held).toBeGreaterThan(0)
  await putOnce(direct)
  proxy.releaseAppends()
  await expect(overtaken).rejects.toThrow('it exists')
})

test('an edit whose answer is lost is settled: its change is in the topic once', async () => {
  const { settings, direct, proxy } = await behindProxy()
  await putKey(direct)
  let asked = 0
  const key = keyEntry()
  proxy.answersToAppends = 'swallow'
  const editing = new TopicAccessEditor(settings, { appendTimeoutMs: 1_000 }).edit(() => {
    asked++
    return [{ kind: 'key', name: key.id, value: key }]
  })
  await expect.poll(() => proxy.lost).toBeGreaterThan(0)
  await expect.poll(async () => (await new TopicAccessEditor(direct).read()).keys.length).toBe(2)
  proxy.answersToAppends = 'pass'
  expect((await editing).keys.at(-1)).toEqual(key)
  expect(asked).toBe(1)
})
