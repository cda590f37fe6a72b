import { expect, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { uniqueName } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

type Entry = Readonly<Record<string, unknown>>

/** An installation with an aggregate type that has some events, and a command line that sees its trail. */
async function filled() {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '2' })
  const writer = await runningWriter(where)
  await testClient({ url: writer.url }).append(freshStream(where.type), [purchase()])
  const access = { ANNALS_ACCESS: 'topic', ANNALS_PEER_SECRET: 'shared by all services of a test' }
  const env = { ...where.env, ...access, ANNALS_AUDIT_TOPIC: uniqueName('audit') }
  const annals = cliHere(env)
  const entries = async (): Promise<readonly Entry[]> =>
    (await annals(['audit', '--json'])).json()['entries'] as never
  return { where, writer, annals, entries }
}

test('commands that reach Kafka directly are recorded with the user of the system, also if they fail', async () => {
  const { where, writer, annals, entries } = await filled()
  const topic = uniqueName('copy')
  expect((await annals(['replay', where.type, '--to-topic', topic, '--create'])).exitCode).toBe(0)
  expect((await annals(['index', 'rebuild', where.type, '--yes', '--url', writer.url])).exitCode).toBe(0)
  // There is none in progress.
  expect((await annals(['topics', 'repartition', where.type, '--abort', '--yes'])).exitCode).toBe(1)
  const found = await entries()
  expect(found).toMatchObject([
    {
      type: 'annals.topic.replayed-to',
      outcome: 'success',
      resource: `topic:${topic}`,
      details: { from: where.type },
    },
    { type: 'annals.index.rebuilt', outcome: 'success', resource: `${where.type}.*` },
    { type: 'annals.topic.repartitioned', outcome: 'failure', details: { abort: true } },
  ])
  expect(found[2]?.['reason']).toMatch(/no move of/)
  for (const entry of found) {
    expect(entry).toMatchObject({ action: 'operate', service: 'cli', principal: { kind: 'cli' } })
    expect((entry['principal'] as Entry)['name']).toMatch(/^cli:.+@.+/)
  }
})

test('nothing is recorded for a dry run, or without access control', async () => {
  const { where, annals } = await filled()
  await annals(['topics', 'repartition', where.type, '--partitions', '3', '--dry-run'])
  await annals(['replay', where.type, '--to-topic', uniqueName('copy'), '--create', '--dry-run'])
  expect((await annals(['audit'])).stderr).toContain('nothing was ever recorded there')
  const env = { ...where.env, ANNALS_AUDIT_TOPIC: uniqueName('audit') }
  await cliHere(env)(['replay', where.type, '--to-topic', uniqueName('copy'), '--create'])
  expect((await cliHere(env)(['audit'])).stderr).toContain('nothing was ever recorded there')
})
