import type { Writable } from 'node:stream'

import type { LineOutput } from './line-target.ts'

/** Writes to a stream with back-pressure. */
export class StreamOutput implements LineOutput {
  readonly #stream: Writable
  bytes = 0

  constructor(stream: Writable) {
    this.#stream = stream
  }

  async write(lines: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(lines, (error) => (error ? reject(error) : resolve()))
    })
    this.bytes += lines.length
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Counts bytes and writes nothing. */
export class NoOutput implements LineOutput {
  bytes = 0

  write(lines: Buffer): Promise<void> {
    this.bytes += lines.length
    return Promise.resolve()
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
