import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'

import { AnnalsClient } from '#client'
import type { Config } from '#config'
import { snapshotTopic, type StreamId } from '#domain'
import { LogReader } from '#kafka'

import { type SnapshotterService, startSnapshotterService } from '../../../services/snapshotter/index.ts'
import { snapshotHead, type SnapshotHead } from '../../../services/snapshotter/topic/snapshot-record.ts'
import { type RealParts, startReal } from './real-service.ts'
import { testClient } from './closing.ts'
import type { Installation, RealWriter } from './real-writer.ts'
import { uniqueName, waitFor } from '../stack/stack.ts'
import { runningWriter, testInstallation } from './writer-fixture.ts'

/** An installation whose snapshotters have their own group. */
export const snapshotterInstallation = (
  env: Readonly<Record<string, string>> = {},
  typeCount = 1,
): Installation =>
  testInstallation({ ANNALS_SNAPSHOTTER_GROUP: uniqueName('snapshotter'), ...env }, typeCount)

export interface RealSnapshotter extends SnapshotterService, RealParts {
  readonly client: AnnalsClient
  /** The sum of a metric over all labels; 0 if it has no series. */
  metric(name: string): Promise<number>
}

/**
 * A snapshotter in this process that loads from a writer; stopped at the end of the test at the latest.
 * @param beyond settings outside the configuration's bounds.
 */
export async function runningSnapshotter(
  { env }: Pick<Installation, 'env'>,
  writer: { readonly url: string },
  beyond: Partial<Config['snapshotter']> = {},
): Promise<RealSnapshotter> {
  const service = await startReal(
    { ...env, ANNALS_SNAPSHOTTER_WRITER_URLS: writer.url },
    startSnapshotterService,
    (config) => ({ ...config, snapshotter: { ...config.snapshotter, ...beyond } }),
  )
  await waitFor('the snapshotter to serve', () => Promise.resolve(service.snapshotter.checkServing()))
  const client = new AnnalsClient({ url: service.url, direct: false })
  let closed: Promise<void> | undefined
  const close = () => (closed ??= Promise.all([service.close(), client.close()]).then(() => undefined))
  onTestFinished(close)
  return { ...service, client, metric: (name) => valueOf(service.metrics, name), close }
}

/** A fresh installation with a running writer, a client of that writer, and a running snapshotter. */
export async function snapshottedInstallation(env: Readonly<Record<string, string>>): Promise<{
  readonly where: Installation
  readonly writer: RealWriter
  readonly client: AnnalsClient
  readonly snapshotter: RealSnapshotter
}> {
  const where = snapshotterInstallation(env)
  const writer = await runningWriter(where)
  const client = testClient({ url: writer.url })
  const snapshotter = await runningSnapshotter(where, writer)
  return { where, writer, client, snapshotter }
}

/** The sum of a registry's metric over all labels. */
export async function valueOf(metrics: Registry, name: string): Promise<number> {
  const [family] = (await metrics.getMetricsAsJSON()).filter((metric) => metric.name === name)
  return (family?.values ?? []).reduce((sum, { value }) => sum + value, 0)
}

/** A snapshot in its topic. */
interface TopicSnapshot extends SnapshotHead {
  readonly state: unknown
}

/** The last snapshot of each stream in the topic. */
export async function snapshotsInTopic(
  { backends }: Pick<RealSnapshotter, 'backends'>,
  aggregateType: string,
): Promise<Map<StreamId, TopicSnapshot>> {
  const found = new Map<StreamId, TopicSnapshot>()
  const topic = snapshotTopic(aggregateType)
  const { partitions } = await backends.cluster.topic(topic)
  const reader = new LogReader(backends.cluster)
  for (const partition of partitions.keys()) {
    for await (const records of reader.read(topic, partition, { from: 0 })) {
      for (const record of records) {
        const head = snapshotHead(record)
        if (head === undefined) found.delete(record.key.toString() as StreamId)
        else if (record.value !== null) {
          const [decoded] = await backends.codec.decodeMany([record.value])
          found.set(head.streamId, { ...head, state: decoded?.data })
        }
      }
    }
  }
  return found
}

/** The installation with another domain module for the same types and schemas. @param customer source code of the aggregate, an expression over `customer` and `type`. */
export function withCustomer(where: Installation, customer: string): Installation {
  const path = join(dirname(where.domain.modulePath), `${uniqueName('domain')}.ts`)
  const example = `${process.cwd()}/examples/customers/customer.ts`
  writeFileSync(
    path,
    [
      `import { customer } from '${example}'`,
      `const changed = (type) => (${customer})`,
      `const aggregates = ${JSON.stringify(where.domain.types)}.map((type) => ({ ...changed(type), type }))`,
      'export default { aggregates, projections: [], upcasters: [] }',
    ].join('\n'),
  )
  return { ...where, env: { ...where.env, ANNALS_DOMAIN: path } }
}
