import { expect, onTestFinished, test } from 'vitest'

import { AnnalsClient } from '#client'
import { aggregateIdOf, eventTopic, type StreamId } from '#domain'
import { LogReader } from '#kafka'

import type { Totals } from '../../../examples/customers/totals.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { testClient } from '../../support/services/closing.ts'
import { recreateTopic } from '../../support/kafka/harmed-topics.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { runningSnapshotter, valueOf } from '../../support/services/snapshotter-fixture.ts'
import { waitFor } from '../../support/stack/stack.ts'
import {
  freshStream,
  purchases,
  runningProjector,
  runningWriter,
  testInstallation,
} from '../../support/services/writer-fixture.ts'

const partitions = 2

/** Writer, snapshotter and projector, all running. */
async function services(where: Installation) {
  const writer = await runningWriter(where)
  const [snapshotter, projector] = await Promise.all([
    runningSnapshotter(where, writer),
    runningProjector(where),
  ])
  const client = testClient({ url: writer.url })
  const views = new AnnalsClient({ url: projector.url })
  onTestFinished(() => views.close())
  const stop = async () => {
    await Promise.all([snapshotter.close(), projector.close()])
    await writer.close()
  }
  return { writer, snapshotter, projector, client, views, stop }
}

const codeOf = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code,
  )

test('all services refuse a topic that was deleted and created again, until they are restarted and rebuild from the new log', async () => {
  const where = testInstallation({ ANNALS_KAFKA_PARTITIONS: String(partitions) }, 2)
  const [type = '', other = ''] = where.domain.types
  const { lifetime } = where.domain.projections
  const topic = eventTopic(type)
  const first = await services(where)
  const { writer, snapshotter, projector, client, views } = first
  const stream = freshStream(type)
  const elsewhere = freshStream(other)
  const view = (of: typeof views, streamId: StreamId) => of.projection(lifetime).get(aggregateIdOf(streamId))
  await client.append(stream, purchases(12))
  await client.append(elsewhere, purchases(2))
  await waitFor(
    'the view',
    async () => ((await view(views, stream))?.view as Totals | undefined)?.purchases === 12,
  )
  await waitFor('the snapshot', async () => (await client.info(stream)).snapshotVersion !== undefined)

  await recreateTopic(where, topic, partitions)
  await waitFor(
    'appends to be refused',
    async () => (await codeOf(client.append(stream, purchases(1)))) === 'log-replaced',
  )
  await waitFor('views to be refused', async () => (await codeOf(view(views, stream))) === 'log-replaced')
  for (const refused of [client.info(stream), client.load(stream), client.state(stream)]) {
    expect(await codeOf(refused)).toBe('log-replaced')
  }
  expect(await client.append(elsewhere, purchases(1))).toMatchObject({ lastVersion: 3 })

  const waiting = {
    topic,
    state: 'log-replaced',
    reason: expect.stringContaining('restart the services') as string,
  }
  await waitFor('the snapshotter to report it', () =>
    Promise.resolve(snapshotter.snapshotter.checkServing().waitForOperator?.length === partitions),
  )
  expect(writer.writer.checkServing().waitForOperator).toHaveLength(partitions)
  expect(snapshotter.snapshotter.checkServing().waitForOperator?.[0]).toMatchObject(waiting)
  expect(projector.projector.checkServing().waitForOperator).toEqual([waiting])
  expect(await valueOf(projector.metrics, 'annals_projector_waits_for_operator')).toBe(1)
  expect(await snapshotter.metric('annals_snapshotter_waits_for_operator')).toBe(partitions)
  const described = (await views.projections()).find(({ name }) => name === lifetime)
  expect(described).toMatchObject({ waitForOperator: [{ topic, state: 'log-replaced' }] })
  expect(await codeOf(snapshotter.client.snapshot(stream))).toBe('log-replaced')

  await first.stop()
  const again = await services(where)
  // Until then the new log has not even a marker.
  const reader = new LogReader(again.writer.backends.cluster)
  await waitFor('the partitions to be served', () =>
    Promise.resolve(again.writer.writer.checkServing().owned === 4),
  )
  for (let partition = 0; partition < partitions; partition++) {
    expect(await reader.endOffset(topic, partition)).toBeLessThanOrEqual(2)
  }
  expect(await codeOf(again.client.info(stream))).toBe('stream-not-found')
  expect(await again.client.append(stream, purchases(3))).toMatchObject({ lastVersion: 3 })
  await waitFor(
    'the view of the new log',
    async () => ((await view(again.views, stream))?.view as Totals | undefined)?.purchases === 3,
  )
  // Batches sent before the writer noticed may be in the new log. They were not acknowledged, and do not count.
  const verified = (await cliHere(where.env)(['verify', '--views', '--json'])).json()
  const found = (verified['findings'] as { readonly code: string }[]).filter(
    ({ code }) => code !== 'stray-batch',
  )
  expect(found).toEqual([])
  expect(verified['counts']).toMatchObject({ events: 6, streams: 2 })
})
