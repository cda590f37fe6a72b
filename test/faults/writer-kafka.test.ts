import { beforeEach, expect, onTestFinished, test } from 'vitest'

import { testClient } from '../support/services/closing.ts'
import { KafkaProxy } from '../support/kafka/kafka-proxy.ts'
import { expectIndexEqualsLog, readLog } from '../support/append/log-check.ts'
import type { Installation, RealWriter } from '../support/services/real-writer.ts'
import { testStack, waitFor } from '../support/stack/stack.ts'
import { runningWriter, testInstallation } from '../support/services/writer-fixture.ts'
import { Traffic } from '../support/append/writer-traffic.ts'

let proxy: KafkaProxy
beforeEach(async () => {
  proxy = await KafkaProxy.start(testStack().kafkaBrokers[0] ?? '')
  return () => proxy.close()
})

interface Scene {
  readonly where: Installation
  readonly writer: RealWriter
}

/** A writer that reaches Kafka only through the proxy. */
async function behindProxy(env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const where = testInstallation({
    ANNALS_KAFKA_BROKERS: proxy.address,
    ANNALS_KAFKA_PARTITIONS: '4',
    ANNALS_KAFKA_REQUEST_TIMEOUT: '1s',
    ...env,
  })
  return { where, writer: await runningWriter(where) }
}

async function expectWhole({ where, writer }: Scene, traffic: Traffic): Promise<void> {
  await waitFor('all partitions are served', () => Promise.resolve(writer.writer.checkServing().owned === 4))
  const log = await readLog(where)
  traffic.expectWhole(log)
  await expectIndexEqualsLog(where)
}

test.each(['cut', 'swallow'] as const)(
  'appends whose responses are lost (%s) are settled by the same sequence: all succeed, and none is duplicated',
  async (answers) => {
    const scene = await behindProxy()
    const client = testClient({ url: scene.writer.url, timeoutMs: 30_000 })
    const traffic = new Traffic(client, scene.where.domain.types)
    onTestFinished(() => traffic.stop())
    await traffic.waitForMore()
    for (let round = 1; round <= 3; round++) {
      const lost = proxy.lost
      proxy.answersToAppends = answers
      await waitFor('responses are lost', () => Promise.resolve(proxy.lost >= lost + 4))
      proxy.answersToAppends = 'pass'
      await traffic.waitForMore(20)
    }
    await traffic.stop()
    expect([...traffic.retries.keys()], 'what callers got besides success').toEqual([])
    expect(traffic.acknowledged.filter(({ duplicate }) => duplicate)).toEqual([])
    await expectWhole(scene, traffic)
  },
)

test('appends whose outcome stays unknown are settled by their ids once the log is readable again', async () => {
  const scene = await behindProxy({ ANNALS_WRITER_APPEND_TIMEOUT: '2s' })
  const once = testClient({ url: scene.writer.url, retries: { triesMax: 1 } })
  const traffic = new Traffic(once, scene.where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.waitForMore(20)
  proxy.answersToAppends = 'swallow'
  await waitFor('outcomes are unknown', () => Promise.resolve(traffic.retries.has('outcome-unknown')))
  proxy.answersToAppends = 'pass'
  await traffic.waitForMore()
  await traffic.stop()
  expect(traffic.acknowledged.filter(({ duplicate }) => duplicate)).not.toEqual([])
  await expectWhole(scene, traffic)
})

test('a writer whose Kafka is down for some seconds rejects what it cannot settle, and then resumes', async () => {
  const scene = await behindProxy({
    ANNALS_WRITER_APPEND_TIMEOUT: '2s',
    ANNALS_WRITER_SESSION_TIMEOUT: '6s',
  })
  const once = testClient({ url: scene.writer.url, retries: { triesMax: 1 } })
  const traffic = new Traffic(once, scene.where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.waitForMore()
  const { port } = proxy
  await proxy.close()
  await waitFor('callers notice it', () => Promise.resolve(traffic.retries.size > 0), { timeoutMs: 60_000 })
  for (const code of traffic.retries.keys())
    expect(code).toMatch(/^(outcome-unknown|unavailable|overloaded)$/)
  await proxy.open(port)
  await traffic.waitForMore()
  await traffic.stop()
  await expectWhole(scene, traffic)
})
