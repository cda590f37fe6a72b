import { expect, onTestFinished, test } from 'vitest'

import { testClient } from '../../support/services/closing.ts'
import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import { expectIndexEqualsLog, readLog } from '../../support/append/log-check.ts'
import { type Installation, startRealWriter } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { Traffic } from '../../support/append/writer-traffic.ts'

/** The index's data of streams, byte by byte: versions, times, offsets. */
async function keptOf(where: Installation): Promise<Record<string, unknown>> {
  const redis = await openIndex(where)
  const keys = (await indexKeys(redis)).filter((key) => /}(streams|chunks)$/.test(key))
  const hashes = await Promise.all(
    keys.map(async (key) => [key, await redis.call('HGETALL', [key])] as const),
  )
  return Object.fromEntries(hashes.map(([key, fields]) => [key, sortedPairs(fields as Buffer[])]))
}

const sortedPairs = (fields: readonly Buffer[]): string[] =>
  fields
    .flatMap((name, index) =>
      index % 2 === 0 ? [`${name.toString()} ${fields[index + 1]?.toString('hex')}`] : [],
    )
    .sort()

test('the index that a take-over builds from the whole log equals the one built append by append', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '3' })
  const first = await runningWriter(where)
  const client = testClient({ url: first.url })
  const streams = Array.from({ length: 12 }, () => freshStream(where.type))
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      streams.map((streamId, place) => client.append(streamId, purchases(5 * (1 + ((place + round) % 4))))),
    )
  }
  await first.close()
  const grown = await keptOf(where)
  expect(Object.keys(grown).some((key) => key.endsWith('chunks'))).toBe(true)

  const redis = await openIndex(where)
  await redis.call('UNLINK', await indexKeys(redis))
  const second = await runningWriter(where)
  await waitFor('all partitions are served', () => Promise.resolve(second.writer.checkServing().owned === 3))
  expect(await keptOf(where)).toEqual(grown)
  const log = await readLog(where)
  expect(log.flatMap(({ events }) => events).length).toBe(12 * 20 * 12.5)
  await expectIndexEqualsLog(where)
})

test('the fence is renewed under load without an effect on callers', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '2' })
  const writer = await startRealWriter(where, { fenceRenewalMs: 30 })
  onTestFinished(() => writer.close())
  const traffic = new Traffic(testClient({ url: writer.url }), where.domain.types)
  onTestFinished(() => traffic.stop())
  const renewals = async () => {
    const log = await readLog(where)
    return Math.min(...log.map(({ events, endOffset }) => endOffset - events.length))
  }
  await waitFor('ten markers in each partition', async () => (await renewals()) >= 10)
  await traffic.stop()
  expect([...traffic.retries.keys()]).toEqual([])
  await waitFor('the writer is idle', () => Promise.resolve(writer.writer.checkServing().owned === 2))
  traffic.expectWhole(await readLog(where))
})

test('a stopping writer answers every append: accepted ones are in the log, the others are not', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '2' })
  const writer = await runningWriter(where)
  const streamId = freshStream(where.type)
  await testClient({ url: writer.url }).append(streamId, purchases(1))
  const answers = Array.from({ length: 400 }, () =>
    writer.writer.local.append(streamId, purchases(5)).catch((error: unknown) => error as { code: string }),
  )
  const stopped = writer.close()
  const heard = await Promise.all(answers)
  await stopped
  const accepted = heard.filter((answer) => 'position' in answer)
  const codes = new Set(heard.flatMap((answer) => ('code' in answer ? [answer.code] : [])))
  expect([...codes]).toEqual(['not-owner'])
  const logged = (await readLog(where)).flatMap(({ events }) => events)
  expect(logged).toHaveLength(1 + accepted.length * 5)
  expect(
    accepted
      .map(({ position }) => position.offset)
      .every((offset) => logged.some((event) => event.offset === offset)),
  ).toBe(true)
})
