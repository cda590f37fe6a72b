import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, onTestFinished, test, vi } from 'vitest'

import { AnnalsClient } from '#client'
import { aggregateIdOf, eventTopic, type StreamId } from '#domain'
import { LogReader } from '#kafka'
import type { RedisConnection } from '#redis-index'

import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import {
  freshStream,
  purchase,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { writerForFile } from '../../support/services/writer-for-file.ts'
import { waitFor } from '../../support/stack/stack.ts'

/** Longer than one chunk of offsets, and than one read step of the log. */
const length = 300

const { where, client } = await writerForFile({ ANNALS_KAFKA_PARTITIONS: '3' })

/** Deletes the keys that Redis may evict at any time: tails, snapshots, recent reads. */
async function evict(redis: RedisConnection): Promise<void> {
  const keys = await indexKeys(redis, 'evictable')
  if (keys.length > 0) await redis.call('UNLINK', keys)
}

/** Counts the scripts that the writer, which is in this process, runs on this installation's index. */
function countScripts(redis: RedisConnection): () => number {
  const run = vi.spyOn(Object.getPrototypeOf(redis) as RedisConnection, 'run')
  onTestFinished(() => run.mockRestore())
  const topic = `:eventstore.${where.type}:`
  return () => run.mock.calls.filter(([, [key = '']]) => key.includes(topic)).length
}

/** Counts the events that the writer reads from the log at given offsets. */
function countFetched(type: string): () => number {
  const fetchAt = vi.spyOn(LogReader.prototype, 'fetchAt')
  onTestFinished(() => fetchAt.mockRestore())
  const isOwn = (topic: string) => topic === eventTopic(type)
  return () => fetchAt.mock.calls.reduce((sum, [topic, , { length }]) => sum + (isOwn(topic) ? length : 0), 0)
}

/** Waits until Redis has the events of a stream that were recently read from the log. */
const untilCached = (redis: RedisConnection, streamId: StreamId) =>
  waitFor('the read events to be cached', async () =>
    (await indexKeys(redis, 'evictable')).some((key) => key.endsWith(`r:${aggregateIdOf(streamId)}`)),
  )

test('a cold load reads the index once, and caches in Redis what it read from the log', async () => {
  const streamId = freshStream(where.type)
  for (let from = 0; from < length; from += 100) await client.append(streamId, purchases(100))
  const redis = await openIndex(where)
  await evict(redis)
  const scripts = countScripts(redis)

  const cold = await client.load(streamId)
  expect(cold.events.map(({ version }) => version)).toEqual(Array.from({ length }, (_, index) => index + 1))
  await untilCached(redis, streamId)
  expect(scripts()).toBe(2) // One read of the index, and one write of the events read from the log.

  expect(await client.load(streamId)).toEqual(cold)
  expect(scripts()).toBe(3)
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

test('a cold load of more than one MiB caches the last events, as many as fit', async () => {
  const installed = installationWithNotes()
  const writer = await runningWriter(installed)
  const notes = new AnnalsClient({ url: writer.url })
  onTestFinished(() => notes.close())
  const streamId = freshStream(installed.type)
  const data = { date: '1997-01-12', cds: 1, amount: '12.50', note: 'x'.repeat(20_000) }
  for (let from = 0; from < 150; from += 15) {
    await notes.append(
      streamId,
      Array.from({ length: 15 }, () => purchase(1, { data })),
    )
  }
  const redis = await openIndex(installed)
  await evict(redis)
  const fetched = countFetched(installed.type)

  const cold = await notes.load(streamId)
  expect(fetched()).toBe(150)
  await untilCached(redis, streamId)

  expect(await notes.load(streamId)).toEqual(cold)
  const fitting = Math.floor((1 << 20) / 20_000)
  expect(fetched()).toBe(150 + 150 - fitting)
})
