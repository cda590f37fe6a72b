import { createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

import { OperationError } from '../operation-error.ts'
import { writeFailure } from '../file-failure.ts'
import { privateFile } from '../private-files.ts'

/** Where an export is written, with back-pressure. */
export interface ExportOutput {
  /** @throws OperationError if it cannot be written. */
  write(text: string): Promise<void>
  /** Finishes the output after the last line. */
  complete(): Promise<void>
  /** Removes an incomplete output. */
  abandon(): Promise<void>
}

/** Writes to a stream. An incomplete export is not removed from it. */
export const outputToStream = (stream: Writable): ExportOutput => ({
  write: (text) => written(stream, text),
  complete: () => Promise.resolve(),
  abandon: () => Promise.resolve(),
})

/** A file that gets its name when it is complete. @throws OperationError if it already exists. */
export function outputTo(file: string, isOverwriting: boolean): ExportOutput {
  if (!isOverwriting && existsSync(file)) {
    throw new OperationError(
      'target-exists',
      `${file} already exists: --overwrite replaces it when the export is complete`,
    )
  }
  return new FileOutput(file)
}

class FileOutput implements ExportOutput {
  readonly #file: string
  readonly #partial: string
  readonly #stream: Writable

  constructor(file: string) {
    this.#file = file
    this.#partial = `${file}.partial`
    this.#stream = createWriteStream(this.#partial, { flush: true, mode: privateFile })
    // Reported by the write or the end that it affects.
    this.#stream.on('error', () => undefined)
  }

  async write(text: string): Promise<void> {
    await this.#orFailure(written(this.#stream, text))
  }

  async complete(): Promise<void> {
    this.#stream.end()
    await this.#orFailure(finished(this.#stream))
    await this.#orFailure(rename(this.#partial, this.#file))
  }

  async abandon(): Promise<void> {
    this.#stream.destroy()
    await finished(this.#stream).catch(() => undefined)
    // If the file could not be created nothing is left, and the error was already reported.
    await rm(this.#partial, { force: true }).catch(() => undefined)
  }

  async #orFailure(writing: Promise<void>): Promise<void> {
    try {
      await writing
    } catch (error) {
      throw writeFailure(this.#file, error)
    }
  }
}

const written = (stream: Writable, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
