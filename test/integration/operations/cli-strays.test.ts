import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Kafka, logLevel } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'

import type { StreamId } from '#domain'
import type { LogRecord } from '#kafka'

import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { openDirectBackends, placeOf, purchaseRecord } from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import {
  freshStream,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

interface Finding {
  readonly code?: string
  readonly status?: string
  readonly message?: string
  readonly setting?: string
  readonly where?: { readonly offset?: number }
}

/** Appends a record with a plain producer, which is not the owner. */
async function appendPlainly(where: Installation, streamId: StreamId, record: LogRecord): Promise<void> {
  const { topic, partition } = placeOf(streamId, where.type, 1)
  const brokers = (where.env['ANNALS_KAFKA_BROKERS'] ?? '').split(',')
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  const { key, value, headers } = record
  await producer.send({ topic, messages: [{ partition, key, value, headers: Object.fromEntries(headers) }] })
  await producer.disconnect()
}

test('a well-formed next version that no owner appended is reported, and no command treats it as an event', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '1' })
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const streamId = freshStream(where.type)
  await client.append(streamId, purchases(2))
  const direct = await openDirectBackends(where)
  await appendPlainly(where, streamId, purchaseRecord(direct, where.type, streamId, 3))
  await client.append(streamId, purchases(2))
  const annals = cliHere({ ...where.env, ANNALS_URL: writer.url })

  const verified = (await annals(['verify', '--json'])).json()
  expect((verified['findings'] as Finding[]).map(({ code }) => code)).toEqual(['stray-batch'])
  expect(verified['counts']).toMatchObject({ events: 4, strays: 1 })
  const checked = await annals(['topics', 'check'])
  expect(checked).toMatchObject({ exitCode: 1 })
  expect(checked.stdout).toMatch(
    /stray records among the last \d+ of partition 0 is 1, the last at offset \d+/,
  )
  const examined = (await annals(['doctor', '--json'])).json()['findings'] as Finding[]
  expect(examined.filter(({ status }) => status === 'warn').map(({ message }) => message)).toContainEqual(
    expect.stringContaining('stray records'),
  )

  const folder = await mkdtemp(join(tmpdir(), 'annals-strays-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const backup = (await annals(['backup', join(folder, 'backup'), '--json'])).json()
  expect(backup).toMatchObject({ status: 'made', events: 4 })
  expect(backup['warnings']).toEqual([expect.stringContaining('1 stray record') as string])
  const file = join(folder, 'events.ndjson')
  expect(await annals(['replay', where.type, '--to-file', file])).toMatchObject({ exitCode: 0 })
  const versions = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { version: number }).version)
  expect(versions).toEqual([1, 2, 3, 4])
  const category = await client.readCategory(where.type)
  expect(category.events.map(({ version }) => version)).toEqual([1, 2, 3, 4])
})
