import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { aggregateTypeOf, eventTopic, partitionFor, type Snapshot } from '#domain'
import { type SnapshotStore } from '#event-store'
import { PartitionIndex } from '#redis-index'

import type { Installation, RealWriter } from '../services/real-writer.ts'

const schemaName = 'ContractState'

/** Adds the schema of the states in the store contract's snapshots. Call it before the writer starts. */
export function addContractState({ domain, type }: Installation): void {
  const field = (name: string, avro: string) => ({ name, type: avro })
  const schema = {
    type: 'record',
    role: 'snapshot',
    name: schemaName,
    namespace: type.replaceAll('-', '_'),
    fields: [field('purchases', 'int'), field('cds', 'int'), field('spend', 'string'), field('of', 'string')],
  }
  mkdirSync(join(domain.schemaFolder, type), { recursive: true })
  writeFileSync(join(domain.schemaFolder, type, `${schemaName}.v1.avsc`), JSON.stringify(schema))
}

/** Saves snapshots to the writer's index. */
export const indexSnapshots = ({ backends, config }: RealWriter): SnapshotStore => ({
  async saveSnapshot({ streamId, version, stateVersion, state, timestamp }: Snapshot) {
    const aggregateType = aggregateTypeOf(streamId)
    const index = new PartitionIndex(backends.redis, {
      topic: eventTopic(aggregateType),
      partition: partitionFor(streamId, config.kafka.partitions),
      aggregateType,
      snapshotTtlSeconds: 60,
      rememberedIdsMax: config.index.rememberedIdsMax,
    })
    await index.saveSnapshot(streamId, {
      version,
      stateVersion,
      timestampMs: Date.parse(timestamp),
      state: backends.codec.encode(aggregateType, schemaName, state, 'snapshot'),
    })
  },
})
