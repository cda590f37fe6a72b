import { expect, test } from 'vitest'

import { cliHere } from '../../support/cli/cli-here.ts'
import type { Json } from '../../support/cli/cli.ts'
import { testClient } from '../../support/services/closing.ts'
import { indexKeys, openIndex } from '../../support/index/index-keys.ts'
import { expectIndexEqualsLog, readLog } from '../../support/append/log-check.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchases,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'
import { Traffic } from '../../support/append/writer-traffic.ts'

const env = { ANNALS_KAFKA_PARTITIONS: '3' }

async function shop() {
  const where = testInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const streams = Array.from({ length: 12 }, () => freshStream(where.type))
  for (const streamId of streams) await client.append(streamId, purchases(4))
  return { where, writer, client, streams, annals: cliHere({ ...where.env, ANNALS_URL: writer.url }) }
}

test('index rebuild rebuilds the whole index while the writer runs, including idle partitions', async () => {
  const { where, annals, streams } = await shop()
  const redis = await openIndex(where)
  const before = (await indexKeys(redis)).filter((key) => !/}s:/.test(key))
  await redis.call('HSET', [before.find((key) => key.endsWith('streams')) ?? '', 'stranger', 'x'])
  expect(await annals(['index', 'verify'])).toMatchObject({ exitCode: 1 })
  const rebuilt = await annals(['index', 'rebuild', '--yes'])
  expect(rebuilt).toMatchObject({ exitCode: 0, stderr: '' })
  expect(rebuilt.stdout).toMatch(
    /^Kafka cluster \S+ at \S+\ntopic +partition +index +streams +took\n(eventstore\.\S+ +\d +rebuilt +\d+ +\d+ ms\n){3}3 partitions, in /,
  )
  expect((await indexKeys(redis)).filter((key) => !/}s:/.test(key))).toEqual(before)
  expect((await annals(['index', 'verify', where.type])).stdout).toMatch(
    /^Kafka cluster \S+ at \S+\nindex +of 3 partitions\nNo findings/,
  )
  await expectIndexEqualsLog(where)
  expect((await readLog(where)).flatMap(({ events }) => events)).toHaveLength(4 * streams.length)
})

test('nothing is lost or duplicated when the index is rebuilt under load', async () => {
  const { where, client, annals } = await shop()
  const traffic = new Traffic(client, where.domain.types)
  await traffic.waitForMore(100)
  for (let round = 0; round < 3; round++) {
    const rebuilt = (await annals(['index', 'rebuild', '--yes', '--json'])).json()
    expect((rebuilt['partitions'] as Json[]).map(({ status }) => status)).toEqual([
      'rebuilt',
      'rebuilt',
      'rebuilt',
    ])
    await traffic.waitForMore(50)
  }
  await traffic.stop()
  traffic.expectWhole(await readLog(where))
  await expectIndexEqualsLog(where)
})

test('without writers the index is dropped, and the next writer builds it', async () => {
  const { where, writer, annals, streams } = await shop()
  await writer.close()
  await waitFor('the writer to have left', async () =>
    (await annals(['index', 'rebuild', '--yes'])).stdout.includes(' dropped '),
  )
  const redis = await openIndex(where)
  expect(await indexKeys(redis)).toEqual([])
  expect(await annals(['index', 'verify'])).toMatchObject({ exitCode: 1 })
  const next = await runningWriter(where)
  await waitFor('all partitions to be served', () => Promise.resolve(next.writer.checkServing().owned === 3))
  await expectIndexEqualsLog(where)
  expect(await testClient({ url: next.url }).info(streams[0] ?? '')).toMatchObject({ version: 4 })
})

test('index rebuild drops nothing without --yes, for a missing type, or when no writer answers', async () => {
  const { where, annals } = await shop()
  const redis = await openIndex(where)
  const before = await indexKeys(redis)
  expect(await annals(['index', 'rebuild'])).toMatchObject({ exitCode: 2, stdout: '' })
  expect(await annals(['index', 'rebuild', 'nothing', '--yes'])).toMatchObject({ exitCode: 2, stdout: '' })
  const away = await annals(['index', 'rebuild', '--yes', '--url', 'http://127.0.0.1:1'])
  expect(away).toMatchObject({ exitCode: 3, stdout: '' })
  expect(await indexKeys(redis)).toEqual(before)
})
