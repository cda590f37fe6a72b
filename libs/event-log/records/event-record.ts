import {
  type EventId,
  type EventMetadata,
  InvalidInputError,
  metadataFields,
  metadataTable,
  type MetadataValue,
  ownMetadataHeader,
  ownMetadataJson,
  parseOwnMetadataJson,
  parseStreamId,
  parseVersion,
  type StreamId,
  type Version,
} from '#domain'

import { repeatedText } from './repeated-text.ts'

/** A record as any Kafka client returns it. */
export interface ReceivedRecord {
  readonly offset: number
  readonly key: Buffer
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
}

/** The record of an event, ready to be appended. */
export interface EventRecord {
  readonly key: Buffer
  readonly value: Buffer
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Milliseconds since 1970. */
  readonly timestampMs: number
}

/** An event whose data is encoded, as in a record of an event topic. */
export interface EncodedEvent {
  readonly id: EventId
  readonly streamId: StreamId
  readonly type: string
  readonly version: Version
  /** ISO 8601, UTC, milliseconds. */
  readonly timestamp: string
  /** The same time in milliseconds since 1970. NaN if a foreign record has no valid time. */
  readonly timestampMs: number
  readonly metadata: EventMetadata
  /** Avro in the Confluent wire format. */
  readonly value: Buffer
}

/** The value of `ce_source`, which CloudEvents requires, for events whose metadata has no source. */
export const eventSourceDefault = 'urn:annals'

/** The headers of the metadata fields except `source`, which CloudEvents requires for every event. */
const metadataHeaders = metadataFields
  .filter((field) => field !== 'source')
  .map((field) => [field, metadataTable[field].header] as const)

/**
 * The record of an event: CloudEvents 1.0 in Kafka's binary content mode, readable with any tool for either
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
 */
export function toLogRecord(event: EncodedEvent): EventRecord {
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
  const own = ownMetadataJson(metadata)
  if (own !== undefined) headers.push([ownMetadataHeader, own])
  return {
    key: Buffer.from(event.streamId),
    value: event.value,
    headers,
    timestampMs: event.timestampMs,
  }
}

/**
 * The event of a record written by {@link toLogRecord}.
 * @throws InvalidInputError with the missing part, if the record is not an event of Annals.
 */
export function fromStoredRecord(record: ReceivedRecord): EncodedEvent {
  const head = headOf(record)
  const id = (head.id ?? noHeader(record, 'ce_id')) as EventId
  const timestamp = head.time ?? noHeader(record, 'ce_time')
  return {
    id,
    streamId: parseStreamId(head.subject ?? noHeader(record, 'ce_subject')),
    type: head.type ?? noHeader(record, 'ce_type'),
    version: parseVersion(head.version ?? noHeader(record, 'ce_streamversion'), 'headers.ce_streamversion'),
    timestamp,
    timestampMs: Date.parse(timestamp),
    metadata: metadataOf(head.source, head.others),
    value: record.value ?? noEvent(record, 'value', 'value'),
  }
}

/** The headers of a record as text. Of several with one name, the last one counts. */
interface Head {
  id: string | undefined
  time: string | undefined
  subject: string | undefined
  type: string | undefined
  version: string | undefined
  source: string | undefined
  others: Map<string, string> | undefined
}

/** All fields from the start: objects of one shape are read faster. */
const emptyHead = (): Head => ({
  id: undefined,
  time: undefined,
  subject: undefined,
  type: undefined,
  version: undefined,
  source: undefined,
  others: undefined,
})

function headOf({ headers }: ReceivedRecord): Head {
  const head = emptyHead()
  for (const [name, value] of headers) addHeader(head, name, value)
  return head
}

function addHeader(head: Head, name: string, value: Buffer): void {
  switch (name) {
    case 'ce_id':
      head.id = value.toString()
      break
    case 'ce_time':
      head.time = value.toString()
      break
    case 'ce_subject':
      head.subject = value.toString()
      break
    case 'ce_type':
      head.type = repeatedText(value)
      break
    case 'ce_streamversion':
      head.version = repeatedText(value)
      break
    case 'ce_source':
      head.source = repeatedText(value)
      break
    case 'ce_specversion':
    case 'content-type':
      break
    default:
      head.others ??= new Map()
      head.others.set(name, value.toString())
  }
}

const noHeader = (record: ReceivedRecord, name: string): never =>
  noEvent(record, `headers.${name}`, `header ${name}`)

function noEvent({ offset }: ReceivedRecord, path: string, missing: string): never {
  throw new InvalidInputError(
    path,
    `record at offset ${offset} is not an event of Annals: it has no ${missing}`,
  )
}

const noTexts: ReadonlyMap<string, string> = new Map()

function metadataOf(source: string | undefined, texts: ReadonlyMap<string, string> = noTexts): EventMetadata {
  const own = texts.get(ownMetadataHeader)
  const metadata: Record<string, MetadataValue> =
    own === undefined ? {} : { ...parseOwnMetadataJson(own, `headers.${ownMetadataHeader}`) }
  // The default says that the event has no source, whatever the own keys say.
  if (source === eventSourceDefault) {
    if (own !== undefined) delete metadata['source']
  } else if (source !== undefined) metadata['source'] = source
  if (texts.size > 0) addFields(metadata, texts)
  return metadata
}

function addFields(metadata: Record<string, MetadataValue>, texts: ReadonlyMap<string, string>): void {
  for (const [field, name] of metadataHeaders) {
    const value = texts.get(name)
    if (value !== undefined) metadata[field] = value
  }
}

/**
 * Metadata as CloudEvents extension attributes, named like the headers of a record, without `source`.
 * The caller's own keys are one JSON text in the attribute `annalsmetadata`.
 */
export function extensionAttributes(metadata: EventMetadata): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {}
  for (const [field, header] of metadataHeaders) {
    const value = metadata[field]
    if (value !== undefined) attributes[attributeOf(header)] = value
  }
  const own = ownMetadataJson(metadata)
  if (own !== undefined) attributes[attributeOf(ownMetadataHeader)] = own
  return attributes
}

const attributeOf = (header: string): string => header.replace(/^ce_/, '')
