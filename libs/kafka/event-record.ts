import {
  type EventId,
  type EventMetadata,
  InvalidInputError,
  parseStreamId,
  parseVersion,
  type StreamId,
  type Version,
} from '#domain'

import type { LogRecord, StoredRecord } from './record-batch.ts'

/** An event whose data is encoded: what a record of an event topic holds. */
export interface EncodedEvent {
  readonly id: EventId
  readonly streamId: StreamId
  readonly type: string
  readonly version: Version
  /** ISO 8601, UTC, milliseconds. */
  readonly timestamp: string
  readonly metadata: EventMetadata
  /** Avro in the Confluent wire format. */
  readonly value: Buffer
}

/** Stands in `ce_source`, which CloudEvents demands, where the event's metadata names no source. */
export const eventSourceDefault = 'urn:annals'

const metadataHeaders = [
  ['correlationId', 'ce_correlationid'],
  ['causationId', 'ce_causationid'],
  ['userId', 'ce_userid'],
  ['sessionId', 'ce_sessionid'],
  ['traceparent', 'traceparent'],
] as const satisfies readonly (readonly [keyof EventMetadata, string])[]

/**
 * The record of an event: CloudEvents 1.0 in Kafka's binary content mode, so that any tool that knows either can read it
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
 */
export function toLogRecord(event: EncodedEvent): LogRecord & { readonly value: Buffer } {
  const { metadata } = event
  const headers: [string, string][] = [
    ['ce_specversion', '1.0'],
    ['ce_id', event.id],
    ['ce_type', event.type],
    ['ce_source', metadata.source ?? eventSourceDefault],
    ['ce_subject', event.streamId],
    ['ce_time', event.timestamp],
    ['content-type', 'application/avro'],
    ['ce_streamversion', String(event.version)],
  ]
  for (const [field, name] of metadataHeaders) {
    const value = metadata[field]
    if (value !== undefined) headers.push([name, value])
  }
  return {
    key: Buffer.from(event.streamId),
    value: event.value,
    headers,
    timestampMs: Date.parse(event.timestamp),
  }
}

/**
 * The event of a record made by {@link toLogRecord}.
 * @throws InvalidInputError naming what is missing, when the record is none of ours.
 */
export function fromStoredRecord(record: StoredRecord): EncodedEvent {
  const texts = new Map<string, string>()
  for (const [name, value] of record.headers) texts.set(name, value.toString())
  const text = (name: string): string =>
    texts.get(name) ?? noEvent(record, `headers.${name}`, `header ${name}`)
  return {
    id: text('ce_id') as EventId,
    streamId: parseStreamId(text('ce_subject')),
    type: text('ce_type'),
    version: parseVersion(text('ce_streamversion'), 'headers.ce_streamversion'),
    timestamp: text('ce_time'),
    metadata: metadataOf(texts),
    value: record.value ?? noEvent(record, 'value', 'value'),
  }
}

function noEvent({ offset }: StoredRecord, path: string, missing: string): never {
  throw new InvalidInputError(
    path,
    `record at offset ${offset} is not an event of Annals: it has no ${missing}`,
  )
}

function metadataOf(texts: ReadonlyMap<string, string>): EventMetadata {
  const metadata: Record<string, string> = {}
  const source = texts.get('ce_source')
  if (source !== undefined && source !== eventSourceDefault) metadata['source'] = source
  for (const [field, name] of metadataHeaders) {
    const value = texts.get(name)
    if (value !== undefined) metadata[field] = value
  }
  return metadata
}
