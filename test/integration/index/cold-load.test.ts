import { expect, onTestFinished, test, vi } from 'vitest'

import { aggregateIdOf } from '#domain'
import type { RedisConnection } from '#redis-index'

import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import { freshStream, purchases } from '../../support/services/writer-fixture.ts'
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

test('a cold load reads the index once, and caches in Redis what it read from the log', async () => {
  const streamId = freshStream(where.type)
  for (let from = 0; from < length; from += 100) await client.append(streamId, purchases(100))
  const redis = await openIndex(where)
  await evict(redis)
  const scripts = countScripts(redis)

  const cold = await client.load(streamId)
  expect(cold.events.map(({ version }) => version)).toEqual(Array.from({ length }, (_, index) => index + 1))
  const isKept = async () =>
    (await indexKeys(redis, 'evictable')).some((key) => key.endsWith(aggregateIdOf(streamId)))
  await waitFor('the read events to be cached', isKept)
  expect(scripts()).toBe(2) // One read of the index, and one write of the events read from the log.

  expect(await client.load(streamId)).toEqual(cold)
  expect(scripts()).toBe(3)
})
