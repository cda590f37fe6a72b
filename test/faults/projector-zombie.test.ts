import { expect, onTestFinished, test } from 'vitest'

import { testClient } from '../support/services/closing.ts'
import { KafkaProxy } from '../support/kafka/kafka-proxy.ts'
import { metricOf, projectorProcess, shortSessions } from '../support/services/projector-process.ts'
import { testStack, uniqueName, waitFor } from '../support/stack/stack.ts'
import { TcpProxy } from '../support/proxies/tcp-proxy.ts'
import { caughtUp } from '../support/projections/views-check.ts'
import { expectPublished, expectViewsOfLog } from '../support/projections/views-in-log.ts'
import { runningProjector, runningWriter, testInstallation } from '../support/services/writer-fixture.ts'
import { Traffic } from '../support/append/writer-traffic.ts'

test.each([
  { views: 'by stream', projection: 'lifetime', field: '"spend"' },
  { views: 'across streams', projection: 'monthly', field: '"revenue"' },
] as const)(
  'a projector frozen with steps and changelog records in flight, replaced and resumed, changes nothing: views $views',
  async ({ projection, field }) => {
    const { kafkaBrokers, redisUrl } = testStack()
    const kafka = await KafkaProxy.start(kafkaBrokers[0] ?? '')
    const redis = await TcpProxy.start(redisUrl)
    onTestFinished(async () => {
      await Promise.all([kafka.close(), redis.close()])
    })
    const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4', ...shortSessions })
    const name = where.domain.projections[projection]
    const writer = await runningWriter(where)
    const zombie = await projectorProcess(where, {
      ANNALS_KAFKA_BROKERS: kafka.address,
      ANNALS_REDIS_URL: redis.url,
    })
    const traffic = new Traffic(testClient({ url: writer.url }), where.domain.types)
    onTestFinished(() => traffic.stop())
    await traffic.waitForMore(100)
    kafka.holdAppends()
    await waitFor('changelog records are in flight', () => Promise.resolve(kafka.held > 0))
    redis.holdFrom(field)
    await waitFor('a step is in flight', () => Promise.resolve(redis.held > 0))
    zombie.kill('SIGSTOP')

    const next = await projectorProcess(where)
    await traffic.waitForMore(100)
    await traffic.stop()
    await caughtUp(next.url, name)
    await expectViewsOfLog(where, next.url)
    await expectPublished(where, next.url)
    // What was in flight arrives first: a process that resumes after its time-outs closes its connections, and loses
    // the responses on them.
    redis.release()
    await waitFor('its steps to be rejected', () => Promise.resolve(redis.hasAnswered('checkpoint-moved')))
    kafka.releaseAppends()
    await waitFor('its records to be appended', () => Promise.resolve(kafka.hasAnsweredAppend))
    zombie.kill('SIGCONT')
    await expectViewsOfLog(where, zombie.url)
    await expectPublished(where, next.url)

    const more = new Traffic(testClient({ url: writer.url }), where.domain.types)
    await more.waitForMore(100)
    await more.stop()
    await expectViewsOfLog(where, next.url)
    await expectPublished(where, zombie.url)
  },
)

test('two projectors that each believe they own everything slow each other down, and nothing else', async () => {
  const where = testInstallation()
  const writer = await runningWriter(where)
  const projectors = [
    await runningProjector(where),
    await runningProjector(where, { ANNALS_PROJECTOR_GROUP: uniqueName('other') }),
  ]
  const traffic = new Traffic(testClient({ url: writer.url }), where.domain.types)
  onTestFinished(() => traffic.stop())
  await traffic.waitForMore(300)
  await traffic.stop()
  const refused = await Promise.all(
    projectors.map(({ url }) =>
      metricOf(url, 'annals_projector_refused_steps_total', { reason: 'checkpoint-moved' }),
    ),
  )
  expect(Math.max(...refused)).toBeGreaterThan(0)
  for (const { url } of projectors) {
    await expectViewsOfLog(where, url)
    await expectPublished(where, url)
  }
})
