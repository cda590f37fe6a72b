import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'

import type { Config } from '#config'

import type { Totals } from '../../../examples/customers/totals.ts'
import type { RealProjector } from '../../support/services/real-projector.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchase,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

/** Reads with a token may wait longer than the default of 5 s: shared machines stall for seconds at times. */
const patience = { ANNALS_PROJECTOR_AFTER_TIMEOUT: '30s' }
const timeoutMs = 30_000

/** A projector that has started its projections: reads wait only for started ones. */
async function servingProjector(where: Installation): Promise<RealProjector> {
  const projector = await runningProjector(where, patience)
  await waitFor('the projections to start', async () =>
    (await projector.projector.api.list()).every(({ serving }) => serving !== undefined),
  )
  return projector
}

test('views by stream and across streams follow appends, and a token waits for them', async () => {
  const where = testInstallation()
  const writer = await runningWriter(where)
  const projector = await servingProjector(where)
  await waitFor('the writer to serve', () => Promise.resolve(writer.writer.checkServing().owned > 0))
  const { lifetime, monthly } = where.domain.projections
  const stream = freshStream(where.type)
  const key = stream.slice(where.type.length + 1)

  const { position } = await writer.writer.api.append(stream, [purchase(1), purchase(2)])
  const { api } = projector.projector
  expect(await api.view(lifetime, key, { after: position, timeoutMs })).toMatchObject({
    key,
    view: { purchases: 2, cds: 3, spend: '25.00' } satisfies Partial<Totals>,
  })
  expect((await api.view(monthly, '1997-01', { after: position, timeoutMs })).view).toEqual({
    purchases: 2,
    cds: 3,
    revenue: '25.00',
  })
})

test('Kafka’s own tools see the group’s progress', async () => {
  const where = testInstallation()
  const writer = await runningWriter(where)
  const { position } = await writer.writer.api.append(freshStream(where.type), [purchase()])
  const { projector, config } = await servingProjector(where)
  await projector.api.view(where.domain.projections.monthly, '1997-01', { after: position, timeoutMs })
  await projector.api.views(where.domain.projections.lifetime, { after: position, timeoutMs })
  await waitFor('the group’s offset', async () => {
    const committed = await committedOffsets(config, position.topic)
    return committed.get(position.partition) === position.offset + 1
  })
})

async function committedOffsets({ kafka, projector }: Config, topic: string): Promise<Map<number, number>> {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const [found] = await admin.fetchOffsets({ groupId: projector.groupId, topics: [topic] })
    return new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  } finally {
    await admin.disconnect()
  }
}
