import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AnnalsClient } from '#client'
import { deadLetterTopic, eventTopic } from '#domain'
import { KafkaCluster, topicConfigs, Topics } from '#kafka'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { CliEnd } from '../../support/cli/cli.ts'
import { type KafkaWithUsers, startKafkaWithUsers } from '../../support/kafka/kafka-with-users.ts'
import { type DeclaredRight, rightsOf } from '../../support/kafka/rights-of-commands.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import { type Installation, installation } from '../../support/services/real-writer.ts'
import { type ServiceProcess, startServiceProcess } from '../../support/services/service-process.ts'
import { freshStream, purchases } from '../../support/services/writer-fixture.ts'
import { uniqueName, waitFor } from '../../support/stack/stack.ts'

/** A call of a command by a user of its own, who has exactly the declared rights, or all but one. */
interface Call {
  readonly path: string
  readonly args: readonly string[]
  /** Conditions of declared rights that hold. */
  readonly conditions?: readonly string[]
  readonly without?: DeclaredRight
}

const laterType = uniqueName('later')
const copy = uniqueName('copy')
const where: Installation = installation({
  ANNALS_KAFKA_PARTITIONS: '2',
  // The default groups, with their names in the table.
  ...{ ANNALS_WRITER_GROUP: 'annals-writer', ANNALS_SNAPSHOTTER_GROUP: 'annals-snapshotter' },
  ...{ ANNALS_PROJECTOR_GROUP: 'annals-projector' },
})
const folder = dirname(where.domain.modulePath)
const backups = join(folder, 'backups')
const controlled = 'with access control'
const inTopic = 'ANNALS_ACCESS=topic'
const changing = 'without --dry-run'

/** In this order, beside running services. */
const besideServices: readonly Call[] = [
  { path: 'topics list', args: [] },
  { path: 'topics check', args: [] },
  { path: 'topics create', args: [laterType] },
  { path: 'doctor', args: [] },
  { path: 'verify', args: ['--views'] },
  { path: 'index verify', args: [] },
  { path: 'index rebuild', args: ['--yes'], conditions: [controlled] },
  { path: 'backup', args: [backups] },
  { path: 'replay', args: [where.type, '--to-file', join(folder, 'events.ndjson')] },
  {
    ...{ path: 'replay', args: [where.type, '--to-topic', copy, '--create'] },
    conditions: ['--to-topic <name>', '--create', controlled],
  },
  {
    ...{ path: 'access key create', args: ['shop', '--role', 'service'] },
    conditions: [inTopic, controlled],
  },
  { path: 'access key list', args: [], conditions: [inTopic] },
  { path: 'access explain', args: ['--role', 'reader', 'read', 'order.42'], conditions: [inTopic] },
  { path: 'audit', args: [] },
]

/** In this order, when all services have stopped. */
const repartition: readonly Call[] = [
  {
    ...{ path: 'topics repartition', args: [where.type, '--partitions', '3', '--dry-run'] },
    conditions: ['--dry-run'],
  },
  {
    ...{ path: 'topics repartition', args: [where.type, '--partitions', '3', '--yes'] },
    conditions: [changing, controlled],
  },
]

/** In this order, when the topics are deleted. */
const restore: readonly Call[] = [
  { path: 'restore', args: [backups, '--dry-run'] },
  { path: 'restore', args: [backups, '--verify'], conditions: [changing, '--verify', controlled] },
]

/** Calls that change nothing, with each of their rights left out in turn; of doctor only those that no other call has. */
const denied: readonly Call[] = besideServices
  .filter(({ path }) => ['topics list', 'verify', 'audit', 'access key list', 'doctor'].includes(path))
  .flatMap((call) => rightsOfCall(call).map((without) => ({ ...call, without })))
  .filter(
    ({ path, without }) => path !== 'doctor' || ['TRANSACTIONAL_ID', 'GROUP'].includes(without.resource),
  )

function rightsOfCall({ path, conditions = [], without }: Call): readonly DeclaredRight[] {
  const isLeftOut = (right: DeclaredRight) => JSON.stringify(right) === JSON.stringify(without)
  return rightsOf(path, conditions, copy).filter((right) => !isLeftOut(right))
}

const calls = [...besideServices, ...repartition, ...restore, ...denied]
const userOf = (call: Call): string => `u${calls.indexOf(call)}`

let kafka: KafkaWithUsers
let platform: ServiceProcess
let onOwnKafka: Installation
beforeAll(async () => {
  kafka = await startKafkaWithUsers(calls.map(userOf))
  await kafka.grant(
    calls.flatMap((call) => rightsOfCall(call).map((right) => ({ ...right, user: userOf(call) }))),
  )
  onOwnKafka = {
    ...where,
    env: { ...where.env, ANNALS_KAFKA_BROKERS: kafka.openAddress, ANNALS_DOMAIN: domainModule() },
  }
  platform = await startServiceProcess('platform', onOwnKafka)
  await fill()
}, 180_000)
afterAll(async () => {
  await platform.stop()
  await kafka.stop()
  where.domain.remove()
})

/** The domain of the installation with a type that the services do not know, and projections that set events aside. */
function domainModule(types: readonly string[] = []): string {
  const path = join(folder, `${uniqueName('domain')}.ts`)
  const text = [
    `import base from ${JSON.stringify(pathToFileURL(where.domain.modulePath).href)}`,
    `const more = ${JSON.stringify(types)}.map((type) => ({ ...base.aggregates[0], type }))`,
    "const projections = base.projections.map((each) => ({ ...each, onError: 'dead-letter' }))",
    'export default { ...base, aggregates: [...base.aggregates, ...more], projections }',
    '',
  ]
  writeFileSync(path, text.join('\n'))
  return path
}

/** Events, a snapshot, views with changes, and topics of dead letters. */
async function fill(): Promise<void> {
  const client = new AnnalsClient({ url: platform.url, direct: false })
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(25))
  const isTaken = async () => ((await client.info(streamId)).snapshotVersion ?? 0) >= 20
  await waitFor('a snapshot', isTaken, { timeoutMs: 30_000 })
  await client.close()
  const { lifetime, monthly } = where.domain.projections
  for (const name of [lifetime, monthly]) await caughtUp(platform.url, name)
  await inOpenKafka((topics) =>
    topics.ensure(
      [lifetime, monthly].map((name) => ({
        ...{ name: deadLetterTopic(name), partitions: 2, replication: 1 },
        configs: topicConfigs['dead-letters'],
      })),
    ),
  )
}

async function inOpenKafka<T>(use: (topics: Topics) => Promise<T>): Promise<T> {
  const cluster = await KafkaCluster.connect({ brokers: [kafka.openAddress], clientId: 'rights-test' })
  try {
    return await use(new Topics(cluster))
  } finally {
    await cluster.close()
  }
}

function run(call: Call): Promise<CliEnd> {
  const { path, args, conditions = [] } = call
  const isControlled = conditions.includes(controlled) || conditions.includes(inTopic)
  return cliHere({
    ...onOwnKafka.env,
    ...kafka.login(userOf(call)),
    ANNALS_URL: platform.url,
    ...(path === 'topics create' && { ANNALS_DOMAIN: domainModule([laterType]) }),
    ...(isControlled && {
      ANNALS_ACCESS: 'topic',
      ANNALS_PEER_SECRET: 'a secret of at least thirty-two characters',
    }),
  })([...path.split(' '), ...args, '--json'])
}

const title = ({ path, args }: Call): string =>
  [path, ...args.filter((each) => each.startsWith('--'))].join(' ')

async function expectDone(call: Call): Promise<void> {
  const end = await run(call)
  expect(end).toMatchObject({ exitCode: 0, stderr: '' })
}

describe('with exactly the declared rights, beside services', () => {
  test.each(besideServices.map((call) => [title(call), call] as const))('%s is done', (_, call) =>
    expectDone(call),
  )
})

describe('without one of the declared rights', () => {
  test.each(
    denied.map((call) => [title(call), call.without?.text.right, call.without?.text.name, call] as const),
  )('%s fails without %s on %s, and names it', async (_, right = '', name = '', call) => {
    const end = await run(call)
    expect(end.exitCode).toBe(1)
    if (call.path === 'doctor') {
      expect(JSON.stringify(end.json()['findings'])).toContain('_AUTHORIZATION_FAILED')
      return
    }
    expect(end.json()).toMatchObject({ error: { code: 'kafka-refused' } })
    const [, needs = ''] = /annals [a-z ]+ needs (.*)docs\/operations\/rights\.md/.exec(end.stderr) ?? []
    expect(needs).toContain(right)
    expect(needs).toContain(call.without?.resource === 'CLUSTER' ? 'the cluster' : name)
  })
})

describe('with exactly the declared rights, without services', () => {
  test('topics repartition and restore are done', { timeout: 120_000 }, async () => {
    await platform.stop()
    for (const call of repartition) await expectDone(call)
    const { lifetime, monthly } = where.domain.projections
    await inOpenKafka(async (topics) => {
      const names = [eventTopic(where.type), deadLetterTopic(lifetime), deadLetterTopic(monthly)]
      for (const name of names) await topics.delete(name)
    })
    for (const call of restore) await expectDone(call)
  })
})
