import { leadersOf, type PlainBatch, type PlainRecord, readPartition } from '../../plain-kafka/index.ts'
import type { LoggedEvent, LoggedMarker, LogPosition, StoredSnapshot } from '../../history.ts'
import { until } from '../../../../../scripts/stack/index.ts'
import type { PlainAvro } from './plain-avro.ts'
import { eventTopicOf, snapshotTopicOf, type Where } from './where.ts'

const readMsMax = 120_000

interface FromTopics {
  readonly log: readonly LoggedEvent[]
  readonly markers: readonly LoggedMarker[]
  readonly starts: readonly LogPosition[]
  readonly snapshots: readonly StoredSnapshot[]
}

interface PlacedBatch extends PlainBatch {
  readonly topic: string
  readonly partition: number
}
interface PlacedRecord extends PlainRecord, LogPosition {
  readonly batch: PlacedBatch
}

/**
 * Events, markers and snapshots in the topics. @throws Error for a record that is none of these, or a topic that
 * cannot be read.
 */
export async function readRecords({ brokers, types }: Where, avro: PlainAvro): Promise<FromTopics> {
  const { batches: events, starts } = await readTopics(brokers, types.map(eventTopicOf))
  const { batches: snapshots } = await readTopics(brokers, types.map(snapshotTopicOf))
  const newest = new Map(recordsOf(snapshots).map((record) => [String(record.key), record]))
  const stored = await Promise.all([...newest.values()].map((record) => snapshotOf(record, avro)))
  return {
    log: await Promise.all(recordsOf(events).map((record) => eventOf(record, avro))),
    markers: events.filter(({ isMarker }) => isMarker).map(markerOf),
    starts,
    snapshots: stored.filter((snapshot) => snapshot !== undefined),
  }
}

interface ReadTopics {
  readonly batches: readonly PlacedBatch[]
  readonly starts: readonly LogPosition[]
}

async function readTopics(brokers: readonly string[], topics: readonly string[]): Promise<ReadTopics> {
  const read: ReadTopics[] = []
  for (const topic of topics)
    read.push(await until(`reading ${topic}`, readMsMax, () => readTopic(brokers, topic)))
  return together(read)
}

const together = (read: readonly ReadTopics[]): ReadTopics => ({
  batches: read.flatMap(({ batches }) => batches),
  starts: read.flatMap(({ starts }) => starts),
})

async function readTopic(brokers: readonly string[], topic: string): Promise<ReadTopics> {
  const leaders = await leadersOf(brokers, topic)
  const partitions = await Promise.all(
    leaders.map(async (leader, partition): Promise<ReadTopics> => {
      const { startOffset, batches } = await readPartition(leader, { topic, partition })
      // A batch is returned whole, even if its first records were deleted.
      const left = batches.map((batch) => ({
        ...{ topic, partition, ...batch },
        records: batch.records.filter(({ offset }) => offset >= startOffset),
      }))
      return { batches: left, starts: [{ topic, partition, offset: startOffset }] }
    }),
  )
  return together(partitions)
}

const recordsOf = (batches: readonly PlacedBatch[]): PlacedRecord[] =>
  batches.flatMap((batch) => {
    const { topic, partition, records } = batch
    return records.map((record) => ({ topic, partition, batch, ...record }))
  })

const markerOf = ({ topic, partition, firstOffset, producer, timestampMs }: PlacedBatch): LoggedMarker => ({
  ...{ topic, partition, producer, timestampMs },
  offset: firstOffset,
})

async function eventOf(record: PlacedRecord, avro: PlainAvro): Promise<LoggedEvent> {
  const { topic, partition, offset, key, value, batch } = record
  const streamId = header(record, 'ce_subject')
  if (value === null || String(key) !== streamId) {
    throw new Error(`${nameOf(record)} is not an event: key ${String(key)}, stream ${streamId}`)
  }
  return {
    ...{ topic, partition, offset, streamId, producer: batch.producer },
    batchOffset: batch.firstOffset,
    id: header(record, 'ce_id'),
    type: header(record, 'ce_type'),
    version: Number(header(record, 'ce_streamversion')),
    data: await avro.decode(value),
  }
}

async function snapshotOf(record: PlacedRecord, avro: PlainAvro): Promise<StoredSnapshot | undefined> {
  if (record.value === null) return undefined
  const version = Number(header(record, 'streamversion'))
  return { from: 'topic', streamId: String(record.key), version, state: await avro.decode(record.value) }
}

function header(record: PlacedRecord, name: string): string {
  const text = record.headers[name]
  if (text === undefined) throw new Error(`${nameOf(record)} has no header ${name}`)
  return text
}

const nameOf = ({ topic, partition, offset }: LogPosition): string => `record ${topic}/${partition}/${offset}`
