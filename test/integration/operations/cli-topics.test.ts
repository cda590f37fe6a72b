import { expect, test } from 'vitest'

import { loadConfig } from '#config'
import { eventTopic, repartitionJournal, snapshotTopic } from '#domain'
import { LogError, Topics } from '#kafka'
import { openBackends } from '#service'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { Json } from '../../support/cli/cli.ts'
import { testClient } from '../../support/services/closing.ts'
import { openDirectBackends } from '../../support/append/past-the-writer.ts'
import { runningWriter, testInstallation } from '../../support/services/writer-fixture.ts'

test('topics list, create and check show existing and missing topics', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '3' })
  const annals = cliHere(where.env)
  const events = eventTopic(where.type)
  const before = await annals(['topics', 'list'])
  expect(before).toMatchObject({ exitCode: 0, stderr: '' })
  expect(before.stdout).toMatch(
    new RegExp(`^Kafka cluster \\S+ at \\S+\ntopic +role +partitions .*\n${events} +events +missing\n`),
  )

  const created = await annals(['topics', 'create', where.type])
  expect(created.stdout).toBe(
    `Created ${events} with 3 partitions, 1 copy of each\nCreated ${snapshotTopic(where.type)} with 3 partitions, 1 copy of each\n`,
  )
  const again = (await annals(['topics', 'create', where.type, '--json'])).json()['topics'] as Json[]
  expect(again.map((topic) => topic['created'])).toEqual([false, false])
  const listed = (await annals(['topics', 'list', '--json'])).json()['topics'] as Json[]
  expect(listed.map(({ role }) => role)).toEqual(['events', 'snapshots', 'changelog', 'changelog'])
  expect(listed[0]).toMatchObject({ name: events, found: { partitions: 3, replication: 1 }, findings: [] })
  expect(listed[2]).not.toHaveProperty('found')

  const client = testClient({ url: (await runningWriter(where)).url })
  await client.append(`${where.type}.c-1`, [
    { type: 'PurchaseMade', data: { date: '1997-01-12', cds: 1, amount: '1.00' } },
  ])
  const [sized] = (await annals(['topics', 'list', '--json'])).json()['topics'] as [
    { found: { bytes: number } },
  ]
  expect(sized.found.bytes).toBeGreaterThan(100)
  expect(await annals(['topics', 'check'])).toMatchObject({ exitCode: 0, stderr: '' })
})

test('topics check reports every setting that endangers events, and exits with 1', async () => {
  const where = testInstallation()
  const { cluster } = await openDirectBackends(testInstallation())
  const configs = { 'cleanup.policy': 'compact', 'retention.ms': '1000' }
  await new Topics(cluster).ensure([{ name: eventTopic(where.type), partitions: 5, replication: 1, configs }])
  const annals = cliHere({ ...where.env, ANNALS_KAFKA_PARTITIONS: '4' })
  const report = await annals(['topics', 'check'])
  expect(report.exitCode).toBe(1)
  expect(report.stdout).toContain('cleanup.policy is compact, expected delete: events must never be deleted')
  expect(report.stdout).toContain('retention.ms is 1000, expected -1')
  expect(report.stdout).toContain(
    'partitions is 5, expected 4: services with this configuration do not start',
  )
  const asJson = (await annals(['topics', 'check', '--json'])).json()
  expect((asJson['findings'] as Json[]).map(({ setting }) => setting)).toEqual([
    'cleanup.policy',
    'retention.ms',
    'partitions',
  ])
  const byType = cliHere({ ...where.env, ANNALS_KAFKA_PARTITIONS_BY_TYPE: `${where.type}=5` })
  expect((await byType(['topics', 'check'])).stdout).not.toContain('partitions is')
})

test('topics create is refused if the topic has another number of partitions', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '2' })
  await cliHere(where.env)(['topics', 'create', where.type])
  const other = await cliHere({ ...where.env, ANNALS_KAFKA_PARTITIONS: '3' })([
    'topics',
    'create',
    where.type,
  ])
  expect(other).toMatchObject({ exitCode: 1, stdout: '' })
  expect(other.stderr).toContain('has 2 partitions, but 3 are configured')
})

test('errors of topics are reported in one line', async () => {
  const where = testInstallation()
  const annals = cliHere(where.env)
  expect(await annals(['topics', 'create', 'nothing'])).toMatchObject({ exitCode: 2, stdout: '' })
  expect(await annals(['topics', 'repartition', where.type, '--partitions', '2'])).toMatchObject({
    exitCode: 2,
  })
  const missing = await annals(['topics', 'repartition', where.type, '--partitions', '2', '--yes'])
  expect(missing).toMatchObject({
    exitCode: 1,
    stderr: `error: topic ${eventTopic(where.type)} does not exist\n`,
  })
  const noMove = await annals(['topics', 'repartition', where.type, '--abort', '--yes'])
  expect(noMove.stderr).toContain('no move of')
  const unreachable = await cliHere({ ...where.env, ANNALS_KAFKA_BROKERS: '127.0.0.1:1' })(['topics', 'list'])
  expect(unreachable).toMatchObject({ exitCode: 3, stdout: '' })
})

test('no service starts while its topic is being moved', async () => {
  const where = testInstallation()
  await cliHere(where.env)(['topics', 'create', where.type])
  const { cluster } = await openDirectBackends(testInstallation())
  const journal = { name: repartitionJournal(where.type), partitions: 1, replication: 1, configs: {} }
  await new Topics(cluster).ensure([journal])
  const start = openBackends(loadConfig(where.env))
  await expect(start).rejects.toThrow(LogError)
  await expect(start).rejects.toThrow(/is being moved to another number of partitions: run .*repartition/)
  expect((await cliHere(where.env)(['topics', 'repartition', where.type, '--abort', '--yes'])).exitCode).toBe(
    0,
  )
  const backends = await openBackends(loadConfig(where.env))
  await backends.close()
})
