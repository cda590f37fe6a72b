import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

import { OperationError } from './operation-error.ts'

/** The size of a file in bytes. @throws OperationError `invalid-request` if it does not exist. */
export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** The bytes of a file. @param onBytes receives the size of each chunk. @throws OperationError `invalid-request` that names the file if it cannot be read. */
export async function* readBytes(
  file: string,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<Buffer, void> {
  try {
    if ((await stat(file)).isDirectory()) throw new Error('it is a folder')
    for await (const chunk of createReadStream(file, {
      highWaterMark: 256 * 1024,
    }) as AsyncIterable<Buffer>) {
      onBytes(chunk.length)
      yield chunk
    }
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** The error for a file that cannot be read. */
export const unreadable = (file: string, error: unknown): OperationError =>
  new OperationError(
    'invalid-request',
    `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
    },
  )
