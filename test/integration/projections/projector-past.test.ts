import { expect, onTestFinished, test } from 'vitest'

import type { AnnalsClient, ProjectionHandle } from '#client'

import type { Totals } from '../../../examples/customers/totals.ts'
import type { MonthlyRevenue } from '../../../schemas/monthly-revenue/events.generated.ts'
import {
  allPurchases,
  expectedLifetimes,
  expectedMonths,
  importPurchases,
} from '../../support/services/cdnow.ts'
import { testClient } from '../../support/services/closing.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { expectViewsOfLog, loggedPurchases } from '../../support/projections/views-in-log.ts'
import { runningProjector, runningWriter, testInstallation } from '../../support/services/writer-fixture.ts'
import { Traffic } from '../../support/append/writer-traffic.ts'

/** Waits until a generation for a look at the past is complete, and returns its views. */
async function past<Data>(
  projection: ProjectionHandle<Data>,
  generation: string,
): Promise<Record<string, Data>> {
  await waitFor('the look at the past to be complete', async () => {
    const { generations } = await projection.describe()
    const kept = generations.find(({ id, status }) => id === generation && status === 'kept')
    return kept?.partitions.every(({ lag }) => lag === 0)
  })
  const views: Record<string, Data> = {}
  for await (const { key, view } of projection.listAll({ generation, limit: 1_000 })) views[key] = view
  return views
}

test('a projection rebuilt until a time or a position under appends has exactly the events up to it', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: '4' })
  const writer = await runningWriter(where)
  const projector = await runningProjector(where)
  const client: AnnalsClient = testClient({ url: writer.url, projectionUrls: [projector.url] })
  const lifetimes = client.projection<Totals>(where.domain.projections.lifetime)
  const months = client.projection<MonthlyRevenue>(where.domain.projections.monthly)
  await importPurchases(client, where.type, allPurchases().slice(0, 3_000))
  const traffic = new Traffic(client, where.domain.types, { callers: 3 })
  onTestFinished(() => traffic.stop())
  await traffic.goesOn(30)

  const untilTime = new Date().toISOString()
  const untilPosition = traffic.acknowledged.at(-1)?.position
  if (untilPosition === undefined) throw new Error('nothing is acknowledged')
  await traffic.goesOn(30)
  const [time, position] = await Promise.all([
    months.rebuild({ untilTime }),
    lifetimes.rebuild({ untilPosition }),
  ])
  await traffic.goesOn(30)
  const monthsThen = await past(months, time.generation)
  const lifetimesThen = await past(lifetimes, position.generation)
  await traffic.stop()

  const all = await loggedPurchases(where)
  const beforeTime = all.filter(({ timestamp }) => timestamp < untilTime)
  expect(beforeTime.length).toBeLessThan(all.length)
  expect(monthsThen).toEqual(Object.fromEntries(expectedMonths(beforeTime)))
  const last = all.find(
    (each) =>
      each.position.partition === untilPosition.partition && each.position.offset === untilPosition.offset,
  )
  const upToPosition = all.filter((each) =>
    each.position.partition === untilPosition.partition
      ? each.position.offset <= untilPosition.offset
      : each.timestamp <= (last?.timestamp ?? ''),
  )
  expect(upToPosition.length).toBeLessThan(all.length)
  expect(lifetimesThen).toEqual(Object.fromEntries(expectedLifetimes(upToPosition)))

  // The serving generation is not affected, and a discarded look at the past is gone.
  await lifetimes.discard(position.generation)
  await months.discard(time.generation)
  await expectViewsOfLog(where, projector.url)
})
