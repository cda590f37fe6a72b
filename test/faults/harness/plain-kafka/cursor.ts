/** Reads the primitive types of Kafka's protocol from a buffer in sequence. */
export class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  int8(): number {
    return this.#bytes.readInt8(this.#advance(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#advance(8))
  }

  bytes(length: number): Buffer {
    const from = this.#advance(length)
    if (this.#at > this.#bytes.length)
      throw new RangeError(`${length} bytes at ${from}: beyond the end of the buffer`)
    return this.#bytes.subarray(from, this.#at)
  }

  string(): string {
    const length = this.int16()
    return length < 0 ? '' : this.bytes(length).toString()
  }

  /** Seven bits per byte, the lowest first. */
  unsignedVarint(): number {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(this.#bytes.readUInt8(this.#advance(1)))
      value |= (byte & 0x7fn) << shift
      if ((byte & 0x80n) === 0n) return Number(value)
    }
  }

  /** Zigzag: 0, -1, 1, -2 … */
  varint(): number {
    const raw = this.unsignedVarint()
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item)
  }

  #advance(by: number): number {
    const from = this.#at
    this.#at += by
    return from
  }
}

export const int8 = (value: number): Buffer => Buffer.from([value & 0xff])

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export const string = (text: string): Buffer =>
  Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])

/** An array with one item. */
export const only = (...item: readonly Buffer[]): Buffer => Buffer.concat([int32(1), ...item])
