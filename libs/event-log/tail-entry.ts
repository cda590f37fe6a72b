import { Packr } from 'msgpackr'

import type { StoredEvent } from './event-format.ts'

// Arrays instead of maps: the field names would take more room than the fields.
const packr = new Packr({ useRecords: false })

/** An event as the index keeps it for quick reading: MessagePack, opaque to the index. */
export const packEvent = ({
  id,
  streamId,
  type,
  version,
  timestamp,
  metadata,
  value,
  offset,
}: StoredEvent): Buffer => packr.pack([id, streamId, type, version, timestamp, metadata, value, offset])

type Fields = [
  StoredEvent['id'],
  StoredEvent['streamId'],
  string,
  StoredEvent['version'],
  string,
  StoredEvent['metadata'],
  Buffer,
  number,
]

export function unpackEvent(packed: Buffer): StoredEvent {
  const [id, streamId, type, version, timestamp, metadata, value, offset] = packr.unpack(packed) as Fields
  return { id, streamId, type, version, timestamp, metadata, value, offset }
}
