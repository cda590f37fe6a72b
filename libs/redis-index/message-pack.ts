/**
 * Writes the one binary argument of a script, which Lua reads with `cmsgpack.unpack`. One argument instead of thousands
 * halves the time a commit takes in the client. Strings go out as `str 32`, since Redis's cmsgpack knows no `bin`.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export class MessagePackWriter {
  #bytes = Buffer.allocUnsafe(16_384)
  #length = 0

  /** Opens an array; its `length` items are to follow. */
  array(length: number): void {
    this.#head(0xdd, length, 0)
  }

  bytes(value: Buffer): void {
    this.#head(0xdb, value.length, value.length)
    value.copy(this.#bytes, this.#length)
    this.#length += value.length
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.#head(0xdb, length, length)
    this.#bytes.write(value, this.#length)
    this.#length += length
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(value: number): void {
    this.#head(0xce, value, 0)
  }

  texts(values: readonly string[]): void {
    this.array(values.length)
    for (const value of values) this.text(value)
  }

  buffers(values: readonly Buffer[]): void {
    this.array(values.length)
    for (const value of values) this.bytes(value)
  }

  numbers(values: readonly number[]): void {
    this.array(values.length)
    for (const value of values) this.uint32(value)
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #head(tag: number, value: number, bodyLength: number): void {
    this.#reserve(5 + bodyLength)
    this.#bytes[this.#length] = tag
    this.#bytes.writeUInt32BE(value, this.#length + 1)
    this.#length += 5
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(needed * 2)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
