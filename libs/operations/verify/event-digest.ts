import { crc32 } from 'node:zlib'

import type { StoredEvent } from '#event-log/records'

/** A checksum over all fields of an event. It does not depend on the order of metadata, which can differ between index and log. */
export function eventDigest({ id, type, version, timestamp, metadata, value, offset }: StoredEvent): number {
  const named = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return crc32(value, crc32(JSON.stringify([id, type, version, timestamp, named, offset])))
}
