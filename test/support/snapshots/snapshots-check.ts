import { expect } from 'vitest'

import { loadConfig } from '#config'
import { aggregateIdOf, parseStreamId, snapshotTopic } from '#domain'
import { LogReader } from '#kafka'
import { type Backends, openBackends } from '#service'

import type { CdnowPurchase } from '../../../examples/customers/cdnow.ts'
import { snapshotHead } from '../../../services/snapshotter/topic/snapshot-record.ts'
import { expectedLifetimes } from '../services/cdnow.ts'
import type { Installation } from '../services/real-writer.ts'
import { waitFor } from '../stack/stack.ts'

interface SnapshotInTopic {
  readonly customerId: string
  readonly version: number
  readonly state: unknown
}

const every = 10

/** Expects that each customer has a snapshot at its last version that is a multiple of ten, or later, and that each equals the fold up to it. */
export async function expectTrueSnapshots(
  { env, type }: Installation,
  purchases: readonly CdnowPurchase[],
): Promise<void> {
  const backends = await openBackends(loadConfig(env))
  try {
    const ofCustomers = Map.groupBy(purchases, ({ customerId }) => customerId)
    const due = [...ofCustomers].filter(([, own]) => own.length >= every)
    expect(due).toHaveLength(1_154)
    const snapshots = await waitFor(
      'all snapshots that are due',
      async () => {
        const found = await snapshotsOf(backends, type)
        const versions = new Map(found.map(({ customerId, version }) => [customerId, version]))
        return due.every(([id, own]) => (versions.get(id) ?? 0) >= own.length - (own.length % every)) && found
      },
      { timeoutMs: 60_000 },
    )
    for (const { customerId, version, state } of snapshots) {
      const own = ofCustomers.get(customerId) ?? []
      expect(state).toEqual(expectedLifetimes(own.slice(0, version)).get(customerId))
    }
  } finally {
    await backends.close()
  }
}

/** All snapshots in the topic, in order by partition. The last one of a stream counts. */
async function snapshotsOf({ cluster, codec, topics }: Backends, type: string): Promise<SnapshotInTopic[]> {
  const reader = new LogReader(cluster)
  const topic = snapshotTopic(type)
  const partitions = Array.from({ length: topics[0]?.partitions ?? 0 }, (_, partition) => partition)
  const found = await Promise.all(
    partitions.map(async (partition) =>
      (await Array.fromAsync(reader.read(topic, partition, { from: 0 }))).flat(),
    ),
  )
  return found.flat().flatMap((record) => {
    const head = snapshotHead(record)
    if (head === undefined || record.value === null) return []
    const customerId = aggregateIdOf(parseStreamId(head.streamId))
    return [{ customerId, version: head.version, state: codec.decode(record.value).data }]
  })
}
