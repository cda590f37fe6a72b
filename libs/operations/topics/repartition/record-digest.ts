import { createHash, type Hash } from 'node:crypto'

import type { StoredRecord } from '#kafka'

/** The content of a partition: the number of records, and a checksum over all of them in order. */
export interface PartitionDigest {
  readonly events: number
  /** SHA-256 over keys, values, headers and times. */
  readonly sha256: string
}

/** Computes the digest of a partition, record by record. Offsets are not part of it, because they change when records move. */
export class RecordDigest {
  readonly #hash: Hash = createHash('sha256')
  #events = 0

  get events(): number {
    return this.#events
  }

  add(record: StoredRecord): void {
    this.#events++
    this.#hash.update(recordBytes(record))
  }

  /** The current digest. More records can be added afterwards. */
  now(): PartitionDigest {
    return { events: this.#events, sha256: this.#hash.copy().digest('hex') }
  }
}

/** Every field is prefixed with its length, so that different records give different bytes. */
function recordBytes({ key, value, headers, timestampMs }: StoredRecord): Buffer {
  const head = Buffer.allocUnsafe(20)
  head.writeDoubleBE(timestampMs, 0)
  head.writeInt32BE(key.length, 8)
  head.writeInt32BE(value?.length ?? -1, 12)
  head.writeInt32BE(headers.length, 16)
  const parts = headers.flatMap(([name, content]) => {
    const nameBytes = Buffer.from(name)
    const lengths = Buffer.allocUnsafe(8)
    lengths.writeInt32BE(nameBytes.length, 0)
    lengths.writeInt32BE(content.length, 4)
    return [lengths, nameBytes, content]
  })
  return Buffer.concat([head, key, ...(value === null ? [] : [value]), ...parts])
}

export const sameDigests = (a: readonly PartitionDigest[], b: readonly PartitionDigest[]): boolean =>
  a.length === b.length &&
  a.every(({ events, sha256 }, index) => events === b[index]?.events && sha256 === b[index].sha256)
