import type { EventId } from '#domain'

import type { MessagePackWriter } from './message-pack.ts'

const idBytes = 16

/**
 * Writes the key under which an event id is remembered: its 16 bytes, then the aggregate id. An id used in two
 * streams is remembered for both, and no two streams share a key.
 */
export class EventKeyWriter {
  readonly #writer: MessagePackWriter
  readonly #aggregateId: string
  readonly #length: number

  constructor(writer: MessagePackWriter, aggregateId: string) {
    this.#writer = writer
    this.#aggregateId = aggregateId
    this.#length = idBytes + Buffer.byteLength(aggregateId)
  }

  write(id: EventId): void {
    const { bytes, at } = this.#writer.open(this.#length)
    bytes.write(id.replaceAll('-', ''), at, idBytes, 'hex')
    bytes.write(this.#aggregateId, at + idBytes)
  }
}
