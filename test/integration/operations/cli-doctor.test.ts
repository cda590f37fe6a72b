import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { eventTopic } from '#domain'
import { KafkaCluster, proveFence, topicConfigs, Topics } from '#kafka'

import { freePorts, startRedis } from '../../../scripts/stack/index.ts'
import type { DoctorFinding } from '#operations'
import { cliHere } from '../../support/cli/cli-here.ts'
import type { CliEnd } from '../../support/cli/cli.ts'
import { type Installation, installation, startRealWriter } from '../../support/services/real-writer.ts'
import { testStack, uniqueName, waitFor } from '../../support/stack/stack.ts'

let cluster: KafkaCluster
const endings: (() => unknown)[] = []
beforeAll(async () => {
  cluster = await KafkaCluster.connect({ brokers: testStack().kafkaBrokers, clientId: 'doctor-test' })
})
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})
afterAll(() => cluster.close())

function ownInstallation(): Installation {
  const where = installation()
  endings.push(() => where.domain.remove())
  return where
}

const doctor = (env: Installation['env']): Promise<CliEnd> => cliHere(env)(['doctor', '--json'])

function about(end: CliEnd, subject: string): DoctorFinding | undefined {
  return (end.json()['findings'] as DoctorFinding[]).find((finding) => finding.subject === subject)
}

test('a correct installation passes every check; a single broker gives a warning', async () => {
  const where = ownInstallation()
  const writer = await startRealWriter(where)
  endings.push(() => writer.close())
  // The writer answers requests before it has taken over its partitions. It is not ready until then.
  await waitFor('all partitions to be served', () => Promise.resolve(writer.writer.checkServing().owned > 0))
  const found = await doctor(where.env)
  const findings = found.json()['findings'] as DoctorFinding[]
  // The servers of tests are a single broker, and have no passwords.
  const warned = findings.filter(({ status }) => status !== 'ok').map(({ subject }) => subject)
  expect(warned).toEqual(['brokers', 'Kafka login', 'Redis login'])
  expect(found).toMatchObject({ exitCode: 0, stderr: '' })
  expect(found.json()['healthy']).toBe(true)
  expect(about(found, 'fence')?.message).toContain('INVALID_PRODUCER_EPOCH')
  expect(about(found, `writer ${writer.url}`)).toMatchObject({ status: 'ok' })
  const report = await cliHere(where.env)(['doctor'])
  expect(report.stdout).toMatch(/ok {4}fence: [^]*3 warnings, 0 failed\n$/)
})

test('an unsafe topic, unregistered schemas and missing writers are found, each with a remedy', async () => {
  const where = ownInstallation()
  const name = eventTopic(where.type)
  const configs = { ...topicConfigs.events, 'retention.ms': '604800000' }
  await new Topics(cluster).ensure([{ name, partitions: 8, replication: 1, configs }])
  const found = await doctor(where.env)
  expect(found.exitCode).toBe(1)
  expect(about(found, `topic ${name}`)).toMatchObject({
    status: 'fail',
    message: 'retention.ms is 604800000: events must never be deleted: they are the truth',
    remedy: `Set retention.ms of topic ${name} to -1`,
  })
  expect(about(found, 'writers')).toMatchObject({ status: 'fail' })
  const schema = `schema ${join(where.domain.schemaFolder, where.type, 'PurchaseMade.v1.avsc')}`
  expect(about(found, schema)).toMatchObject({ status: 'fail', remedy: 'Run ./annals schemas push' })

  expect(await cliHere(where.env)(['schemas', 'push'])).toMatchObject({ exitCode: 0 })
  const pushed = await doctor(where.env)
  expect(about(pushed, schema)).toBeUndefined()
  expect(about(pushed, 'schema registry')).toMatchObject({ status: 'ok' })
})

test('a Redis that does not persist and evicts keys is found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'annals-doctor-'))
  endings.push(() => rm(folder, { recursive: true }))
  const [port = 0] = await freePorts(1)
  const redis = await startRedis({
    ...{ port, folder, logFile: join(folder, 'redis.log') },
    settings: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'],
  })
  endings.push(() => redis.stop())
  const found = await doctor({ ...ownInstallation().env, ANNALS_REDIS_URL: redis.url })
  expect(found.exitCode).toBe(1)
  expect(about(found, 'Redis persistence')).toMatchObject({ status: 'fail', remedy: 'Set appendonly yes' })
  expect(about(found, 'Redis eviction')).toMatchObject({
    status: 'fail',
    message: expect.stringContaining('allkeys-lru') as string,
  })
})

test('an unreachable system is reported, and the other checks still run', async () => {
  const found = await doctor({
    ...ownInstallation().env,
    ANNALS_REDIS_URL: 'redis://user:secret@127.0.0.1:1',
    ANNALS_REGISTRY_URL: 'http://127.0.0.1:2',
  })
  expect(found.exitCode).toBe(1)
  expect(about(found, 'Redis')?.message).toContain('127.0.0.1:1')
  expect(about(found, 'schema registry')?.message).toContain('127.0.0.1:2')
  expect(about(found, 'fence')).toMatchObject({ status: 'ok' })
  expect(about(found, 'Redis login')).toMatchObject({ status: 'warn' })
  expect(about(found, 'Redis login')?.message).toMatch(/^not checked: /)
  expect(found.stdout).not.toContain('secret')
})

test('an unknown setting is rejected before any check: exit code 2', async () => {
  // Joined from parts: a check requires every variable name in the sources to exist.
  const misspelt = ['ANNALS', 'KAFKA', 'BROKER'].join('_')
  const found = await cliHere({ [misspelt]: '127.0.0.1:1' })(['doctor'])
  expect(found).toMatchObject({ exitCode: 2, stdout: '' })
  expect(found.stderr).toContain('did you mean ANNALS_KAFKA_BROKERS?')
})

test('the fence is proved on a topic that is deleted afterwards', async () => {
  const topics = new Topics(cluster)
  const name = uniqueName('proof')
  await topics.ensure([{ name, partitions: 1, replication: 1, configs: topicConfigs.events }])
  const proof = await proveFence(cluster, name)
  expect(proof).toMatchObject({
    repeatedOffset: proof.firstOffset,
    zombieRefusal: { outcome: 'fenced' },
    values: ['first', 'second'],
  })
  await topics.delete(name)
  expect(await topics.describe([name])).toEqual([])
  await topics.delete(name)
})
