import { onTestFinished } from 'vitest'

import { loadConfig } from '#config'
import { eventTopic, newEventId, partitionFor, type StreamId, type Version } from '#domain'
import { type EncodedEvent, toLogRecord } from '#event-log/records'
import { FencedLog, type LogRecord } from '#kafka'
import { type Backends, openBackends } from '#service'

import type { Installation } from '../services/real-writer.ts'

/** Direct connections to an installation's backends, to damage its data; closed at the end of the test. */
export async function openDirectBackends({ env }: Pick<Installation, 'env'>): Promise<Backends> {
  const backends = await openBackends(loadConfig(env))
  onTestFinished(() => backends.close())
  return backends
}

/** Appends records to a topic directly. Takes the partition over from its owner. @returns the offset of the first record. */
export async function appendPast(
  { cluster }: Backends,
  topic: string,
  partition: number,
  records: readonly LogRecord[],
): Promise<number> {
  const log = new FencedLog(cluster, topic, partition)
  await log.takeOver()
  const { firstOffset } = await log.append(records)
  log.close()
  return firstOffset
}

/** A purchase event, encoded as a log record. */
export function purchaseRecord(
  { codec }: Backends,
  type: string,
  streamId: StreamId,
  version: number,
  more: Partial<EncodedEvent> = {},
): LogRecord {
  const { timestamp = new Date().toISOString() } = more
  return toLogRecord({
    id: newEventId(),
    streamId,
    type: 'PurchaseMade',
    version: version as Version,
    timestamp,
    timestampMs: Date.parse(timestamp),
    metadata: {},
    value: codec.encode(type, 'PurchaseMade', { date: '1997-01-12', cds: 1, amount: '12.50' }),
    ...more,
  })
}

/** The topic and partition of a stream. */
export const placeOf = (streamId: StreamId, type: string, partitions: number) => ({
  topic: eventTopic(type),
  partition: partitionFor(streamId, partitions),
})
