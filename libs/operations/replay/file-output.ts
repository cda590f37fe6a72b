import { type FileHandle, open } from 'node:fs/promises'

import type { LineOutput } from './line-target.ts'
import { fileError } from '../file-failure.ts'
import { OperationError } from '../operation-error.ts'
import { privateFile } from '../private-files.ts'

/** How to open a file: `fresh` must not exist, `overwrite` may exist, and a resumed file is truncated to the size in the checkpoint. */
export type FileStart = 'fresh' | 'overwrite' | { readonly fileBytes: number }

/** Opens a file to write lines to. @throws OperationError if it exists and must not, or does not match the checkpoint. */
export async function openFile(path: string, start: FileStart): Promise<LineOutput> {
  try {
    if (typeof start === 'object') return await continued(path, start.fileBytes)
    return new FileOutput(path, await open(path, start === 'fresh' ? 'wx' : 'w', privateFile), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError('opening', path, error)
    throw new OperationError(
      'target-exists',
      `${path} already exists: --resume continues from a checkpoint, --overwrite starts over`,
    )
  }
}

/** Truncates a file to the size in the checkpoint: later lines are written again. */
async function continued(path: string, fileBytes: number): Promise<LineOutput> {
  const file = await open(path, 'r+')
  const { size } = await file.stat()
  if (size >= fileBytes) {
    await file.truncate(fileBytes)
    return new FileOutput(path, file, fileBytes)
  }
  await file.close()
  throw new OperationError(
    'checkpoint-refused',
    `${path} has ${size} bytes, but its checkpoint records ${fileBytes}: it was changed since. Start over with --overwrite`,
  )
}

class FileOutput implements LineOutput {
  readonly #path: string
  readonly #file: FileHandle
  #bytes: number

  constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path
    this.#file = file
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(lines: Buffer): Promise<void> {
    try {
      for (let done = 0; done < lines.length;) {
        const place = this.#bytes + done
        const { bytesWritten } = await this.#file.write(lines, done, lines.length - done, place)
        done += bytesWritten
      }
      this.#bytes += lines.length
    } catch (error) {
      // Removes the incomplete line: the checkpoint may need its disk space.
      await this.#file.truncate(this.#bytes).catch(() => undefined)
      throw fileError('writing', this.#path, error)
    }
  }

  async sync(): Promise<void> {
    await this.#file.datasync().catch((error: unknown) => {
      // A device cannot be synced (fsync(2)).
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw fileError('writing', this.#path, error)
    })
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
