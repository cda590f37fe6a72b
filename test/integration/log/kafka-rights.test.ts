import { readFileSync } from 'node:fs'

import type { AclOperationTypes } from 'kafkajs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { loadConfig } from '#config'
import { openBackends } from '#service'

import { testClient } from '../../support/services/closing.ts'
import { type KafkaWithUsers, type Right, startKafkaWithUsers } from '../../support/kafka/kafka-with-users.ts'
import { deadLettersInTopic, poisonCds, poisonInstallation } from '../../support/services/poison-domain.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { type ServiceProcess, startServiceProcess } from '../../support/services/service-process.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { caughtUp } from '../../support/projections/views-check.ts'
import { expectPublished, expectViewsOfLog } from '../../support/projections/views-in-log.ts'
import { freshStream, purchase, purchases, testInstallation } from '../../support/services/writer-fixture.ts'

const resources = {
  topics: 'TOPIC',
  groups: 'GROUP',
  'transactional ids': 'TRANSACTIONAL_ID',
} as const
const users = ['writer', 'snapshotter', 'projector'] as const
const rowPattern = /^\| (writer|snapshotter|projector) +\| ([a-z ]+?) +\| `([^`]+)` +\| (.+?) +\|$/gm

/** The table of docs/operations/production.md. */
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
  kafka = await startKafkaWithUsers(users)
  await kafka.grant(documentedRights())
}, 180_000)
afterAll(() => kafka.stop())

/** The default groups of services, with their names in the table. */
const groups = {
  ANNALS_WRITER_GROUP: 'annals-writer',
  ANNALS_SNAPSHOTTER_GROUP: 'annals-snapshotter',
  ANNALS_PROJECTOR_GROUP: 'annals-projector',
}

/** A service that logs in as the user with its name. */
async function running(
  service: (typeof users)[number],
  where: Installation,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const started = await startServiceProcess(service, where, { ...groups, ...kafka.login(service), ...env })
  onTestFinished(() => started.stop())
  return started
}

const onOwnKafka = (): Readonly<Record<string, string>> => ({ ANNALS_KAFKA_BROKERS: kafka.openAddress })

test('with these rights events are appended, snapshots taken, views served and published', async () => {
  const where = testInstallation(onOwnKafka())
  const writer = await running('writer', where)
  const client = testClient({ url: writer.url })
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(25))
  await running('snapshotter', where, { ANNALS_SNAPSHOTTER_WRITER_URLS: writer.url })
  const isTaken = async () => ((await client.info(streamId)).snapshotVersion ?? 0) >= 20
  await waitFor('a snapshot', isTaken, { timeoutMs: 20_000 })
  const projector = await running('projector', where)
  await expectViewsOfLog(where, projector.url)
  await expectPublished(where, projector.url)
})

test('with these rights events are parked', async () => {
  const where = poisonInstallation(onOwnKafka())
  const writer = await running('writer', where)
  const poison = purchase(poisonCds)
  await testClient({ url: writer.url }).append(freshStream(where.type), [purchase(), poison, purchase()])
  const projector = await running('projector', where)
  await caughtUp(projector.url, where.settingAside)
  const backends = await openBackends(loadConfig(where.env))
  onTestFinished(() => backends.close())
  const letters = await waitFor('a dead letter', async () => {
    const found = await deadLettersInTopic(backends, where.settingAside).catch(() => [])
    return found.length > 0 && found
  })
  expect(letters.map(({ headers }) => new Map(headers).get('ce_id')?.toString())).toEqual([poison.id])
})

test('an error names the missing right of a user, and nothing is appended', async () => {
  const where = testInstallation(onOwnKafka())
  const started = running('writer', where, kafka.login('snapshotter'))
  await expect(started).rejects.toThrow(/not authorized|authorization/i)
})
