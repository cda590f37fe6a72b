import { Validator } from '@seriousme/openapi-schema-validator'
import { Kafka, logLevel } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'

import { aggregateIdOf, parseStreamId } from '#domain'
import type { ViewUpdate } from '#projections'

import type { Totals } from '../../../examples/customers/totals.ts'
import { testClient } from '../../support/services/closing.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { metricOf } from '../../support/services/projector-process.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { type ServiceProcess, startServiceProcess } from '../../support/services/service-process.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { viewsOf } from '../../support/projections/views-check.ts'
import { freshStream, purchase, purchases, testInstallation } from '../../support/services/writer-fixture.ts'

/** Writer, snapshotter and projector in one process that is stopped at the end of the test. */
async function platform(where: Installation): Promise<ServiceProcess> {
  const started = await startServiceProcess('platform', where)
  onTestFinished(() => started.stop())
  return started
}

const groupsOf = ({ env }: Installation): string[] =>
  ['ANNALS_WRITER_GROUP', 'ANNALS_SNAPSHOTTER_GROUP', 'ANNALS_PROJECTOR_GROUP'].map((name) => env[name] ?? '')

/** Members of the groups of all three. */
async function members(where: Installation): Promise<number[]> {
  const brokers = (where.env['ANNALS_KAFKA_BROKERS'] ?? '').split(',')
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const { groups } = await admin.describeGroups(groupsOf(where))
    return groups.map((group) => group.members.length)
  } finally {
    await admin.disconnect()
  }
}

/** One document describes the routes of all three. */
async function expectWholeDocument(url: string): Promise<void> {
  const { body } = await callerOf(url)('GET', '/openapi.json')
  expect(await new Validator().validate(structuredClone(body))).toMatchObject({ valid: true })
  const paths = Object.keys(body['paths'] as object)
  for (const path of [
    '/appends',
    '/categories/{type}/subscribe',
    '/owners',
    '/streams/{id}/state',
    '/streams/{id}/snapshot',
    '/projections',
    '/projections/{name}/views/{key}',
    '/projections/{name}/subscribe',
    '/projections/{name}/rebuild',
    '/projections/{name}/dead-letters/retry',
    '/metrics',
  ])
    expect(paths).toContain(path)
}

test('one process appends, snapshots, projects and reports, leaves its groups when it stops, and has lost nothing after a restart', async () => {
  // Reads with a token may wait longer than the default of 5 s, because shared machines pause for seconds at times.
  const where = testInstallation({ ANNALS_PROJECTOR_AFTER_TIMEOUT: '30s' })
  const timeoutMs = 30_000
  const first = await platform(where)
  expect(await members(where)).toEqual([1, 1, 1])
  const client = testClient({ url: first.url })
  const streamId = freshStream(where.type)
  const key = aggregateIdOf(parseStreamId(streamId))
  const lifetimes = client.projection<Totals>(where.domain.projections.lifetime)
  const updates = lifetimes.subscribe({ key })

  const { position } = await client.append(streamId, purchases(12))
  const totals = { purchases: 12, cds: 78, spend: '150.00', first: '1997-01-12', last: '1997-01-12' }
  expect(await client.state(streamId)).toMatchObject({ version: 12, state: totals })
  expect(await lifetimes.get(key, { after: position, timeoutMs })).toMatchObject({ key, view: totals })
  const update = (await updates.next()).value as ViewUpdate<Totals>
  expect(update).toMatchObject({ key, view: totals })
  await updates.return(undefined)
  await waitFor('the due snapshot', async () => {
    const taken = await metricOf(first.url, 'annals_snapshotter_snapshots_total')
    return taken > 0
  })
  expect(await client.snapshot(streamId)).toMatchObject({ version: 12 })
  for (const metric of ['writer_events_total', 'snapshotter_snapshots_total', 'projector_events_total'])
    expect(await metricOf(first.url, `annals_${metric}`), metric).toBeGreaterThan(0)

  await expectWholeDocument(first.url)
  await first.stop()
  expect(await first.exited).toEqual({ code: 0, signal: null })
  expect(await members(where)).toEqual([0, 0, 0])

  const second = await platform(where)
  const again = testClient({ url: second.url })
  expect(await again.state(streamId)).toMatchObject({ version: 12, state: totals })
  expect(Object.fromEntries(await viewsOf(second.url, where.domain.projections.lifetime))).toEqual({
    [key]: totals,
  })
  const next = await again.append(streamId, [purchase()])
  expect(next.firstVersion).toBe(13)
  const view = await again
    .projection<Totals>(where.domain.projections.lifetime)
    .get(key, { after: next.position, timeoutMs })
  expect(view?.view.purchases).toBe(13)
})
