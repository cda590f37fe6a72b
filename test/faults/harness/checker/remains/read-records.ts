import type { LoggedEvent, StoredSnapshot } from '../../history.ts'
import type { PlainAvro } from './plain-avro.ts'
import { consumeAll, type PlainRecord } from './plain-consumer.ts'
import { eventTopicOf, snapshotTopicOf, type Where } from './where.ts'

/** Events and snapshots as a consumer of the topics finds them. @throws Error for a record that is neither. */
export async function readRecords(
  { brokers, types }: Where,
  avro: PlainAvro,
): Promise<{ log: LoggedEvent[]; snapshots: StoredSnapshot[] }> {
  const eventTopics = types.map(eventTopicOf)
  const records = await consumeAll(brokers, [...eventTopics, ...types.map(snapshotTopicOf)])
  const events = records.filter(({ topic }) => eventTopics.includes(topic))
  const newest = new Map(
    records.filter(({ topic }) => !eventTopics.includes(topic)).map((record) => [record.key, record]),
  )
  const snapshots = await Promise.all([...newest.values()].map((record) => snapshotOf(record, avro)))
  return {
    log: await Promise.all(events.map((record) => eventOf(record, avro))),
    snapshots: snapshots.filter((snapshot) => snapshot !== undefined),
  }
}

async function eventOf(record: PlainRecord, avro: PlainAvro): Promise<LoggedEvent> {
  const { topic, partition, offset, value } = record
  const streamId = header(record, 'ce_subject')
  if (value === null || record.key !== streamId) {
    throw new Error(`${nameOf(record)} is no event: key ${record.key}, stream ${streamId}`)
  }
  return {
    ...{ topic, partition, offset, streamId },
    id: header(record, 'ce_id'),
    type: header(record, 'ce_type'),
    version: Number(header(record, 'ce_streamversion')),
    data: await avro.decode(value),
  }
}

async function snapshotOf(record: PlainRecord, avro: PlainAvro): Promise<StoredSnapshot | undefined> {
  if (record.value === null) return undefined
  const version = Number(header(record, 'streamversion'))
  return { from: 'topic', streamId: record.key, version, state: await avro.decode(record.value) }
}

function header(record: PlainRecord, name: string): string {
  const text = record.headers[name]
  if (text === undefined) throw new Error(`${nameOf(record)} has no header ${name}`)
  return text
}

const nameOf = ({ topic, partition, offset }: PlainRecord): string => `record ${topic}/${partition}/${offset}`
