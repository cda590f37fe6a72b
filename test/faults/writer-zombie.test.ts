import { expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient } from '#client'
import { type NewEvent, partitionFor, type StreamId } from '#domain'

import { testClient } from '../support/services/closing.ts'
import { KafkaProxy } from '../support/kafka/kafka-proxy.ts'
import { expectIndexEqualsLog, readLog } from '../support/append/log-check.ts'
import { testStack, waitFor } from '../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  runningProcess,
  testInstallation,
} from '../support/services/writer-fixture.ts'
import { metricOf } from '../support/services/projector-process.ts'
import type { ServiceProcess } from '../support/services/service-process.ts'
import { Traffic } from '../support/append/writer-traffic.ts'

const partitions = 4
const env = { ANNALS_KAFKA_PARTITIONS: String(partitions), ANNALS_WRITER_SESSION_TIMEOUT: '6s' }

/** Waits until each of the writers owns a partition, and no other member does. */
const shared = (client: AnnalsClient, writers: readonly ServiceProcess[]) =>
  waitFor(`${writers.length} writers own all partitions`, async () => {
    const urls = new Set((await client.owners()).map(({ url }) => url))
    return urls.size === writers.length && writers.every(({ url }) => urls.has(url))
  })

/** Streams with one event each, in partitions of the writer. */
async function streamsOf({ url }: ServiceProcess, client: AnnalsClient, type: string): Promise<StreamId[]> {
  const streams = Array.from({ length: 24 }, () => freshStream(type))
  await Promise.all(streams.map((streamId) => client.append(streamId, [purchase()])))
  const infos = await Promise.all(streams.map((streamId) => client.info(streamId)))
  return infos.filter(({ owner }) => owner === url).map(({ streamId }) => streamId)
}

interface Answer {
  readonly status: number
  readonly code: string
}

/** What a caller without an SDK gets for its append, whose connection may end. */
async function answerTo({ url }: ServiceProcess, streamId: StreamId, events: NewEvent[]): Promise<Answer> {
  try {
    const response = await fetch(`${url}/streams/${streamId}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    })
    const { code = '' } = (await response.json()) as { code?: string }
    return { status: response.status, code }
  } catch {
    return { status: 0, code: 'connection-ended' }
  }
}

test('the batches of a zombie, in flight while another took over, are rejected by the broker, and its callers get no success', async () => {
  const proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
  onTestFinished(() => proxy.close())
  const where = testInstallation(env)
  const zombie = await runningProcess(where, { ANNALS_KAFKA_BROKERS: proxy.address })
  const next = await runningProcess(where)
  const client = testClient({ url: next.url, direct: false })
  await shared(client, [zombie, next])
  const streams = await streamsOf(zombie, client, where.type)

  proxy.holdAppends()
  const first = [
    ...new Map(streams.map((streamId) => [partitionFor(streamId, partitions), streamId])).values(),
  ]
  const others = streams.filter((streamId) => !first.includes(streamId))
  const sent = [...first, ...others].map((streamId) => ({ streamId, events: [purchase(2)] }))
  const pending: Promise<Answer>[] = []
  for (const { streamId, events } of sent.slice(0, first.length)) {
    const before = proxy.held
    pending.push(answerTo(zombie, streamId, events))
    await waitFor('its batch is in flight', () => Promise.resolve(proxy.held > before))
  }
  pending.push(...sent.slice(first.length).map(({ streamId, events }) => answerTo(zombie, streamId, events)))
  // A request that it reads only after it has resumed would be forwarded, and succeed.
  await waitFor('the zombie has read all the others', async () => {
    return (await metricOf(zombie.url, 'annals_writer_queue_events')) === others.length
  })
  zombie.kill('SIGSTOP')
  await shared(client, [next])
  const later = await Promise.all(streams.map((streamId) => client.append(streamId, [purchase(3)])))
  expect(later.map(({ firstVersion }) => firstVersion)).toEqual(streams.map(() => 2))
  proxy.releaseAppends()
  await waitFor('the broker to answer them', () => Promise.resolve(proxy.hasAnsweredAppend))
  zombie.kill('SIGCONT')

  const answers = await Promise.all(pending)
  expect(answers.map(({ code }) => code)).toContain('outcome-unknown')
  // An append that waited behind a batch in flight was never sent. If its time ran out while the zombie was frozen, the
  // response says so.
  const expected = /^(outcome-unknown|not-owner|unavailable|connection-ended)$/
  for (const { code } of answers) expect(code).toMatch(expected)
  const ids = (await readLog(where)).flatMap(({ events }) => events.map(({ id }) => id))
  expect(sent.filter(({ events: [event] }) => ids.some((id) => id === event?.id))).toEqual([])
  // A retry with the same ids shows that they were not in the log, because it appends them.
  const again = await Promise.all(sent.map(({ streamId, events }) => client.append(streamId, events)))
  expect(again.map(({ firstVersion, duplicate }) => ({ firstVersion, duplicate }))).toEqual(
    streams.map(() => ({ firstVersion: 3, duplicate: false })),
  )
  await shared(client, [zombie, next])
  await expectIndexEqualsLog(where)
})

test('an owner frozen under load and resumed after its partitions have moved neither loses nor duplicates an append', async () => {
  const where = testInstallation(env)
  const zombie = await runningProcess(where)
  const next = await runningProcess(where)
  const client = testClient({ url: next.url, direct: false })
  await shared(client, [zombie, next])
  const traffic = [zombie, next].map(
    ({ url }) => new Traffic(testClient({ url, direct: false, timeoutMs: 3_000 }), where.domain.types),
  )
  onTestFinished(async () => {
    await Promise.all(traffic.map((each) => each.stop()))
  })
  await Promise.all(traffic.map((each) => each.waitForMore(20)))
  zombie.kill('SIGSTOP')
  await shared(client, [next])
  zombie.kill('SIGCONT')
  await shared(client, [zombie, next])
  await Promise.all(traffic.map((each) => each.waitForMore(20)))
  await Promise.all(traffic.map((each) => each.stop()))
  const log = await readLog(where)
  for (const each of traffic) each.expectWhole(log)
  await expectIndexEqualsLog(where)
})
