import { aggregateTypeOf, aggregateTypeOfTopic, InvalidInputError, parseEventId, quote } from '#domain'

import { type EncodedEvent, fromStoredRecord, type ReceivedRecord } from './event-record.ts'
import { isTextOf } from './repeated-text.ts'

/** An encoded event with its offset. */
export interface StoredEvent extends EncodedEvent {
  readonly offset: number
}

/** The event of a record of any topic. @throws InvalidInputError if the record is not an event of Annals. */
export const storedEvent = (record: ReceivedRecord): StoredEvent =>
  Object.assign(fromStoredRecord(record), { offset: record.offset })

/**
 * The event of a record of an event topic. Any client with write access can append to the topic, so the record must
 * prove to be an event of that topic.
 * @throws InvalidInputError with the reason why the record is foreign.
 */
export function eventIn(topic: string, record: ReceivedRecord): StoredEvent {
  const event = storedEvent(record)
  const { streamId, id, timestamp, timestampMs, value, offset } = event
  parseEventId(id, 'headers.ce_id')
  if (event.version === 0) throw foreign(offset, 'headers.ce_streamversion', 'versions start at 1')
  if (aggregateTypeOf(streamId) !== aggregateTypeOfTopic(topic)) {
    throw foreign(offset, 'headers.ce_subject', `${quote(streamId)} does not belong to ${topic}`)
  }
  if (!isTextOf(record.key, streamId)) {
    throw foreign(offset, 'key', `its key is ${quote(record.key.toString())}, its stream ${quote(streamId)}`)
  }
  if (Number.isNaN(timestampMs)) {
    throw foreign(offset, 'headers.ce_time', `${quote(timestamp)} is not a time`)
  }
  if (!isAvro(value)) throw foreign(offset, 'value', "its bytes are not in Confluent's wire format")
  return event
}

/** Confluent's wire format starts with a zero byte and four bytes of schema id. An event without fields has only these. */
export const isAvro = (value: Buffer | null): value is Buffer =>
  value !== null && value.length >= 5 && value[0] === 0

const foreign = (offset: number, path: string, why: string): InvalidInputError =>
  new InvalidInputError(path, `record at offset ${offset} is not an event of Annals: ${why}`)
