import { readFileSync } from 'node:fs'

import type { AclOperationTypes } from 'kafkajs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { TopicAccess } from '#access-store'
import { loadConfig } from '#config'
import { KafkaCluster, Topics } from '#kafka'
import { kafkaSettings } from '#service'

import { cliHere } from '../../support/cli/cli-here.ts'
import { type KafkaWithUsers, type Right, startKafkaWithUsers } from '../../support/kafka/kafka-with-users.ts'
import { testStack, uniqueName } from '../../support/stack/stack.ts'

const resources = { topics: 'TOPIC', 'transactional ids': 'TRANSACTIONAL_ID' } as const
const rowPattern = /^\| (administrator|service) +\| ([a-z ]+?) +\| `([^`]+)` +\| (.+?) +\|$/gm

/** The table of access in docs/operations/production.md. */
function documentedRights(): Right[] {
  const page = readFileSync('docs/operations/production.md', 'utf8')
  return [...page.matchAll(rowPattern)].flatMap(([, user = '', what = '', name = '', rights = '']) =>
    [...rights.matchAll(/`(\w+)`/g)].map(([, right = '']) => ({
      ...{ user, name, resource: resources[what as keyof typeof resources] },
      operation: right.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as keyof typeof AclOperationTypes,
    })),
  )
}

let kafka: KafkaWithUsers
beforeAll(async () => {
  kafka = await startKafkaWithUsers(['administrator', 'service', 'stranger'])
  await kafka.grant(documentedRights())
}, 180_000)
afterAll(() => kafka.stop())

const settings = (env: Readonly<Record<string, string>>) => ({
  ANNALS_ACCESS: 'topic',
  ANNALS_PEER_SECRET: 'a secret of at least thirty-two characters',
  ...env,
})

/** Follows access as a service does, with the settings of a process. */
async function following(env: Readonly<Record<string, string>>): Promise<TopicAccess> {
  const config = loadConfig(env)
  const cluster = await KafkaCluster.connect(kafkaSettings(config))
  const { replication, minInsyncReplicas } = config.kafka
  const source = new TopicAccess({ cluster, topic: config.access.topic, replication, minInsyncReplicas })
  onTestFinished(async () => {
    await source.stop()
    await cluster.close()
  })
  await source.start()
  return source
}

test('with the documented rights an administrator changes access, and a service follows it', async () => {
  const early = await following(settings(kafka.login('service')))
  expect(early.state).toMatchObject({
    status: 'unread',
    reason: expect.stringContaining('TOPIC_AUTHORIZATION_FAILED') as string,
  })
  const annals = cliHere(settings(kafka.login('administrator')))
  const created = await annals(['access', 'key', 'create', 'shop', '--role', 'service'])
  expect(created).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^annals_/) as string })
  await expect.poll(() => early.current?.keys).toHaveLength(1)
  const { id = '' } = early.current?.keys[0] ?? {}
  expect(await annals(['access', 'key', 'revoke', id, '--yes'])).toMatchObject({ exitCode: 0 })
  await expect.poll(() => early.current?.keys[0]).toHaveProperty('revokedAt')
  expect((await annals(['access', 'key', 'list'])).stdout).toContain('revoked at')

  const asService = cliHere(settings(kafka.login('service')))
  expect((await asService(['access', 'key', 'list'])).exitCode).toBe(0)
  for (const user of ['service', 'stranger']) {
    const refused = await cliHere(settings(kafka.login(user)))([
      ...['access', 'key', 'create', 'mallory', '--role', 'admin'],
    ])
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain('docs/operations/rights.md lists the required rights')
  }
  expect(early.current?.keys).toHaveLength(1)
})

test('the topic of the settings is created with their replication, and Kafka that is away is reported', async () => {
  const topic = uniqueName('access')
  const brokers = testStack().kafkaBrokers
  const env = settings({
    ANNALS_KAFKA_BROKERS: brokers.join(','),
    ANNALS_ACCESS_TOPIC: topic,
    ANNALS_AUDIT_TOPIC: uniqueName('audit'),
  })
  const annals = cliHere(env)
  expect((await annals(['access', 'role', 'list', '--json'])).exitCode).toBe(0)
  const cluster = await KafkaCluster.connect({ brokers, clientId: 'access' })
  onTestFinished(() => cluster.close())
  expect(await new Topics(cluster).describe([topic])).toEqual([])
  expect(
    (await annals(['access', 'certificate', 'put', 'web', '--name', 'web', '--role', 'reader'])).exitCode,
  ).toBe(0)
  expect(await new Topics(cluster).describe([topic])).toMatchObject([{ partitions: 1, replication: 1 }])
  const trail = await annals(['audit', '--since', '1h', '--json'])
  const [entry] = trail.json()['entries'] as readonly object[]
  expect(entry).toMatchObject({
    ...{ type: 'annals.access.changed', outcome: 'success', action: 'administer' },
    details: { 'certificate web': 'web has reader' },
  })
  const away = await cliHere({ ...env, ANNALS_KAFKA_BROKERS: '127.0.0.1:1' })([
    'access',
    'key',
    'list',
    '--json',
  ])
  expect(away).toMatchObject({ exitCode: 3 })
  expect(away.json()).toMatchObject({ error: { code: 'kafka-unavailable' } })
}, 120_000)
