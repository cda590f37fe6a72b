import { crc32 } from 'node:zlib'

import type { StoredEvent } from '#event-log/records'

/** A checksum over all that makes an event. The order of its metadata, which writer and log may have otherwise, is none of it. */
export function eventDigest({ id, type, version, timestamp, metadata, value, offset }: StoredEvent): number {
  const named = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return crc32(value, crc32(JSON.stringify([id, type, version, timestamp, named, offset])))
}
