import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

import { OperationError } from '../operation-error.ts'
import { writeFailure } from '../file-failure.ts'
import { readBytes, unreadable } from '../open-file.ts'
import { privateFile } from '../private-files.ts'

interface Saved {
  readonly fingerprint: string
  /** All lines up to and including this one are acknowledged. */
  readonly line: number
}

const saveIntervalMs = 1_000

/**
 * Identifies the events of an import: the file's bytes, its mapping, its options.
 * @param rest in JSON form
 * @throws OperationError `invalid-request` if the file cannot be read.
 */
export async function importFingerprint(file: string, rest: unknown): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(rest))
  for await (const bytes of readBytes(file)) hash.update(bytes)
  return hash.digest('hex')
}

/** Stores the progress of an import in a file, which is always complete. Lines appended after the last save are recognised by their ids. */
export class ImportCheckpoint {
  readonly file: string
  readonly #fingerprint: string
  #line: number
  #saving: Promise<void> = Promise.resolve()
  #savedMs = -Infinity

  private constructor(file: string, { fingerprint, line }: Saved) {
    this.file = file
    this.#fingerprint = fingerprint
    this.#line = line
  }

  /** @throws OperationError `invalid-request` for the checkpoint of another import, or a file that is not a checkpoint. */
  static async open(file: string, fingerprint: string): Promise<ImportCheckpoint> {
    const saved = await readSaved(file)
    if (saved !== undefined && saved.fingerprint !== fingerprint) {
      throw new OperationError(
        'invalid-request',
        `${file} is the checkpoint of another file, mapping or import: use another checkpoint, or delete it to start over (no event is appended twice)`,
      )
    }
    return new ImportCheckpoint(file, saved ?? { fingerprint, line: 0 })
  }

  get line(): number {
    return this.#line
  }

  /** Records the line, and saves it regularly. */
  async reach(line: number): Promise<void> {
    this.#line = line
    if (performance.now() - this.#savedMs > saveIntervalMs) await this.save()
  }

  /** @throws OperationError if it cannot be written. */
  async save(): Promise<void> {
    this.#savedMs = performance.now()
    this.#saving = this.#saving.then(() => this.#write())
    await this.#saving
  }

  async #write(): Promise<void> {
    const saved: Saved = { fingerprint: this.#fingerprint, line: this.#line }
    const next = `${this.file}.next`
    try {
      await writeFile(next, `${JSON.stringify(saved)}\n`, { flush: true, mode: privateFile })
      await rename(next, this.file)
    } catch (error) {
      throw writeFailure(this.file, error)
    }
  }
}

async function readSaved(file: string): Promise<Saved | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(file, error)
  })
  if (text === undefined) return undefined
  try {
    const { fingerprint, line } = JSON.parse(text) as Saved
    if (typeof fingerprint === 'string' && Number.isSafeInteger(line)) return { fingerprint, line }
  } catch {
    // Reported below.
  }
  throw new OperationError(
    'invalid-request',
    `${file} is not the checkpoint of an import: expected {"fingerprint", "line"}`,
  )
}
