import { Packr } from 'msgpackr'

import type { StreamId } from '#domain'
import type { EncodedEvent, StoredEvent } from '#event-log/records'

// Arrays instead of maps: the field names would need more space than the fields.
const packr = new Packr({ useRecords: false })

/**
 * An event in the form that the index stores: MessagePack, opaque to the index, small because every append writes one.
 * It omits the stream, which the reader knows. The id is 16 bytes instead of 36 characters, the timestamp a number.
 */
export const packEvent = (
  { id, type, version, timestampMs, metadata, value }: EncodedEvent,
  offset: number,
): Buffer => packr.pack([idBytes(id), type, version, timestampMs, metadata, value, offset])

type Fields = [
  Buffer,
  string,
  StoredEvent['version'],
  number,
  StoredEvent['metadata'],
  StoredEvent['value'],
  number,
]

/** @param streamId of the stream whose tail contains the event. */
export function unpackEvent(streamId: StreamId, packed: Buffer): StoredEvent {
  const [id, type, version, timestampMs, metadata, value, offset] = packr.unpack(packed) as Fields
  return {
    id: idText(id),
    streamId,
    type,
    version,
    timestamp: new Date(timestampMs).toISOString(),
    timestampMs,
    metadata,
    value,
    offset,
  }
}

const idBytes = (id: StoredEvent['id']): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')

function idText(bytes: Buffer): StoredEvent['id'] {
  const hex = bytes.toString('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
  return parts.join('-') as StoredEvent['id']
}
