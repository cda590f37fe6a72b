import { crc32 } from 'node:zlib'

import type { EventId } from '#domain'

/**
 * The key under which an event id is remembered: its 16 bytes, then CRC-32 of the aggregate id. So the same id used in two
 * streams is remembered for both. Whether a hit is of the very stream is decided by its offset there, never by the checksum.
 */
export class EventKeys {
  readonly #checksum: number

  constructor(aggregateId: string) {
    this.#checksum = crc32(aggregateId)
  }

  of(id: EventId): Buffer {
    const key = Buffer.allocUnsafe(20)
    key.write(id.replaceAll('-', ''), 0, 16, 'hex')
    key.writeUInt32BE(this.#checksum, 16)
    return key
  }
}
