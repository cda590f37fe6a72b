import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'

import type { Operation } from './history.ts'

/** What is known of an operation at its call. */
export interface Call {
  readonly op: number
  readonly client: number
  readonly calledAtMs: number
}

/** An operation without its times, which the recorder adds. */
type WithoutCall<T> = T extends Operation ? Omit<T, 'op' | 'client' | 'calledAtMs' | 'endedAtMs'> : never
export type Ended = WithoutCall<Operation>

/** Records the history while it happens: in memory, and line by line to a file, so that it survives the harness. */
export class Recorder {
  readonly #operations: Operation[] = []
  readonly #file: WriteStream
  #calls = 0

  /** @param path of an NDJSON file. */
  constructor(path: string) {
    this.#file = createWriteStream(path)
  }

  called(client: number): Call {
    return { op: this.#calls++, client, calledAtMs: performance.now() }
  }

  /** Records the outcome. */
  ended(call: Call, operation: Ended): void {
    const whole: Operation = { ...call, endedAtMs: performance.now(), ...operation }
    this.#operations.push(whole)
    this.#file.write(`${JSON.stringify(whole)}\n`)
  }

  /** In the order of the calls. */
  get history(): readonly Operation[] {
    return this.#operations.toSorted((one, other) => one.op - other.op)
  }

  async close(): Promise<void> {
    this.#file.end()
    await finished(this.#file)
  }
}
