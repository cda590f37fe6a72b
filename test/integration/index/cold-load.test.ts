import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, onTestFinished, test, vi } from 'vitest'

import type { AnnalsClient } from '#client'
import { eventTopic } from '#domain'
import { LogReader } from '#kafka'
import type { RedisConnection } from '#redis-index'

import { testClient } from '../../support/services/closing.ts'
import { openIndex } from '../../support/index/index-keys.ts'
import type { Installation, RealWriter } from '../../support/services/real-writer.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { waitFor } from '../../support/stack/stack.ts'

/** Longer than one chunk of offsets, and than one read step of the log. */
const length = 300

/** Starts another writer, whose memory is empty, in place of the one that appended. */
async function coldWriter(where: Installation, appender: RealWriter): Promise<AnnalsClient> {
  await appender.close()
  const { writer, url } = await runningWriter(where)
  await waitFor('all partitions are served', () => Promise.resolve(writer.checkServing().owned === 3))
  return testClient({ url })
}

/** Counts the scripts that the writer, which is in this process, runs on this installation's index. */
function countScripts(redis: RedisConnection, type: string): () => number {
  const run = vi.spyOn(Object.getPrototypeOf(redis) as RedisConnection, 'run')
  onTestFinished(() => run.mockRestore())
  const topic = `:eventstore.${type}:`
  return () => run.mock.calls.filter(([, [key = '']]) => key.includes(topic)).length
}

/** Counts the events that the writer reads from the log at given offsets. */
function countFetched(type: string): () => number {
  const fetchAt = vi.spyOn(LogReader.prototype, 'fetchAt')
  onTestFinished(() => fetchAt.mockRestore())
  const isOwn = (topic: string) => topic === eventTopic(type)
  return () => fetchAt.mock.calls.reduce((sum, [topic, , { length }]) => sum + (isOwn(topic) ? length : 0), 0)
}

test('a cold load reads the index once, and keeps in memory what it read from the log', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '3' })
  const appender = await runningWriter(where)
  const streamId = freshStream(where.type)
  const first = testClient({ url: appender.url })
  for (let from = 0; from < length; from += 100) await first.append(streamId, purchases(100))
  const client = await coldWriter(where, appender)
  const scripts = countScripts(await openIndex(where), where.type)
  const fetched = countFetched(where.type)

  const cold = await client.load(streamId)
  expect(cold.events.map(({ version }) => version)).toEqual(Array.from({ length }, (_, index) => index + 1))
  expect(scripts()).toBe(1)
  expect(fetched()).toBe(length)

  expect(await client.load(streamId)).toEqual(cold)
  expect(fetched()).toBe(length)
  expect(scripts()).toBeLessThanOrEqual(2) // The ownership is confirmed if the last confirmation is too old.
})

test('a stream is loaded from memory after its appends', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '3' })
  const client = testClient({ url: (await runningWriter(where)).url })
  const streamId = freshStream(where.type)
  const fetched = countFetched(where.type)
  for (let from = 0; from < length; from += 100) await client.append(streamId, purchases(100))
  const { events } = await client.load(streamId)
  expect(events.map(({ version }) => version)).toEqual(Array.from({ length }, (_, index) => index + 1))
  expect(fetched()).toBe(0)
})

/** An installation whose purchases have a note, so that they can be large. */
function installationWithNotes(): Installation {
  const installed = testInstallation({ ANNALS_KAFKA_PARTITIONS: '3' })
  const path = join(installed.domain.schemaFolder, installed.type, 'PurchaseMade.v1.avsc')
  const schema = JSON.parse(readFileSync(path, 'utf8')) as { readonly fields: readonly object[] }
  const fields = [...schema.fields, { name: 'note', type: 'string' }]
  writeFileSync(path, JSON.stringify({ ...schema, fields }))
  return installed
}

test('a cold load of more than one MiB keeps the last events in memory, as many as fit', async () => {
  const where = installationWithNotes()
  const appender = await runningWriter(where)
  const streamId = freshStream(where.type)
  const data = { date: '1997-01-12', cds: 1, amount: '12.50', note: 'x'.repeat(20_000) }
  const first = testClient({ url: appender.url })
  for (let from = 0; from < 150; from += 15) {
    await first.append(
      streamId,
      Array.from({ length: 15 }, () => purchase(1, { data })),
    )
  }
  const client = await coldWriter(where, appender)
  const fetched = countFetched(where.type)

  const cold = await client.load(streamId)
  expect(fetched()).toBe(150)

  expect(await client.load(streamId)).toEqual(cold)
  const fitting = Math.floor((1 << 20) / 20_400)
  expect(fetched()).toBe(150 + 150 - fitting)
})
