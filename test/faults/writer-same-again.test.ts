import { expect, test } from 'vitest'

import type { AppendResult, NewEvent, StreamId } from '#domain'
import type { EventStore } from '#event-store'

import { testClient } from '../support/services/closing.ts'
import { indexKeys, openIndex } from '../support/index/index-keys.ts'
import { expectIndexEqualsLog, expectSound, readLog } from '../support/append/log-check.ts'
import { waitFor } from '../support/stack/stack.ts'
import {
  freshStream,
  purchases,
  runningProcess,
  runningWriter,
  streamPerPartition,
  testInstallation,
} from '../support/services/writer-fixture.ts'

const partitions = 4

interface Sent {
  readonly streamId: StreamId
  readonly events: readonly NewEvent[]
}

/** Appends of one to three events, two appends for each stream. */
const someAppends = (type: string): Sent[] =>
  Array.from({ length: 15 }, () => freshStream(type)).flatMap((streamId, index) => [
    { streamId, events: purchases((index % 3) + 1) },
    { streamId, events: purchases(2) },
  ])

async function send(store: Pick<EventStore, 'append'>, appends: readonly Sent[]): Promise<AppendResult[]> {
  const results: AppendResult[] = []
  for (const { streamId, events } of appends) results.push(await store.append(streamId, events))
  return results
}

const again = (results: readonly AppendResult[]): AppendResult[] =>
  results.map((result) => ({ ...result, duplicate: true }))

test('a repeated append gets the first response: immediately, concurrently, through another writer, and from the rebuilt index', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) })
  const writers = [await runningWriter(where), await runningWriter(where)]
  const [one, other] = writers.map(({ url }) => testClient({ url, direct: false })) as [
    ReturnType<typeof testClient>,
    ReturnType<typeof testClient>,
  ]
  const appends = someAppends(where.type)
  const first = await send(one, appends)
  expect(await send(one, appends)).toEqual(again(first))
  expect(await send(other, appends)).toEqual(again(first))

  const events = purchases(3)
  const streamId = freshStream(where.type)
  const sideBySide = await Promise.all(
    Array.from({ length: 20 }, (_, caller) => (caller % 2 === 0 ? one : other).append(streamId, events)),
  )
  expect(sideBySide.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
  expect(
    new Set(sideBySide.map(({ firstVersion, position }) => `${firstVersion} ${position.offset}`)).size,
  ).toBe(1)

  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
  expect(await send(other, appends)).toEqual(again(first))
  // An idle owner notices the loss of Redis state at the next request, and some partitions may have none of the
  // streams.
  await Promise.all(streamPerPartition(where.type, partitions).map((each) => other.load(each)))
  const log = await readLog(where)
  expectSound(log)
  await expectIndexEqualsLog(where)
})

test('a repeated append gets the first response after its owner was killed', async () => {
  const where = testInstallation({
    ANNALS_KAFKA_PARTITIONS: String(partitions),
    ANNALS_WRITER_SESSION_TIMEOUT: '6s',
  })
  const owner = await runningProcess(where)
  const appends = someAppends(where.type)
  const first = await send(testClient({ url: owner.url }), appends)
  owner.kill('SIGKILL')
  const next = await runningProcess(where)
  const client = testClient({ url: next.url })
  await waitFor('the next owner serves', () => client.load(first[0]?.streamId ?? ''))
  expect(await send(client, appends)).toEqual(again(first))
  expectSound(await readLog(where))
})
