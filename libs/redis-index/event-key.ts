import { crc32 } from 'node:zlib'

import type { EventId } from '#domain'

import type { MessagePackWriter } from './message-pack.ts'

/**
 * Writes the key under which an event id is remembered: its 16 bytes, then CRC-32 of the aggregate id. So the same id used in
 * two streams is remembered for both. Whether a hit is of the very stream is decided by its offset there, never by the checksum.
 */
export class EventKeyWriter {
  readonly #writer: MessagePackWriter
  readonly #checksum: number

  constructor(writer: MessagePackWriter, aggregateId: string) {
    this.#writer = writer
    this.#checksum = crc32(aggregateId)
  }

  write(id: EventId): void {
    const { bytes, at } = this.#writer.open(20)
    bytes.write(id.replaceAll('-', ''), at, 16, 'hex')
    bytes.writeUInt32BE(this.#checksum, at + 16)
  }
}
