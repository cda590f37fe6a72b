import { readFileSync } from 'node:fs'

import type { AclOperationTypes } from 'kafkajs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { type AuditEntry, recordOnce } from '#audit'
import { loadConfig } from '#config'
import { KafkaCluster } from '#kafka'
import { kafkaSettings } from '#service'

import { cliHere } from '../../support/cli/cli-here.ts'
import { type KafkaWithUsers, type Right, startKafkaWithUsers } from '../../support/kafka/kafka-with-users.ts'

const users = ['service', 'auditor'] as const

/** The table of docs/operations/audit.md. */
function documentedRights(): Right[] {
  const page = readFileSync('docs/operations/audit.md', 'utf8')
  const rows = page.matchAll(/^\| (service|auditor) +\| `([^`]+)` +\| (.+?) +\|$/gm)
  return [...rows].flatMap(([, user = '', name = '', rights = '']) =>
    [...rights.matchAll(/`(\w+)`/g)].map(([, right = '']) => ({
      ...{ user, name, resource: 'TOPIC' as const },
      operation: right.toUpperCase() as keyof typeof AclOperationTypes,
    })),
  )
}

let kafka: KafkaWithUsers
beforeAll(async () => {
  kafka = await startKafkaWithUsers(users)
  await kafka.grant(documentedRights())
}, 180_000)
afterAll(() => kafka.stop())

const entry: AuditEntry = { type: 'annals.audit.started', outcome: 'success' }

async function record(user: (typeof users)[number], topic = 'annals.audit'): Promise<void> {
  const config = loadConfig({ ...kafka.login(user), ANNALS_AUDIT_TOPIC: topic })
  const cluster = await KafkaCluster.connect(kafkaSettings(config))
  onTestFinished(() => cluster.close())
  await recordOnce(cluster, config, entry)
}

test('with these rights services create and write the trail, and cannot read it; auditors read it, and cannot write', async () => {
  await record('service')
  await record('service')
  const read = await cliHere(kafka.login('auditor'))(['audit', '--json'])
  expect(read.json()['entries']).toHaveLength(2)

  await expect(record('auditor')).rejects.toMatchObject({ kafkaCode: 'TOPIC_AUTHORIZATION_FAILED' })
  await expect(record('service', 'annals.other')).rejects.toMatchObject({ outcome: 'refused' })
  const refused = await cliHere(kafka.login('service'))(['audit'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('docs/operations/rights.md lists the required rights')
})
