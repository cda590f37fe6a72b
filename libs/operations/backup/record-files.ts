import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip, createGzip, type Gzip } from 'node:zlib'

import type { StoredRecord } from '#kafka'

import { BackupError } from './backup-error.ts'
import type { BackedUpFile } from './manifest.ts'
import { recordLine, parseRecordLine } from './record-line.ts'
import { privateFile } from '../private-files.ts'

/** The maximum size of a file before compression. */
const rawBytesMaxDefault = 64 << 20
/** Twice as fast as the default level, and files are 5 % larger. */
const level = 4
const chunkSize = 256 << 10

interface OpenFile {
  readonly path: string
  readonly file: FileHandle
  readonly gzip: Gzip
  /** Resolves with number and checksum of the compressed bytes when they are on the disk. */
  readonly written: Promise<Pick<BackedUpFile, 'bytes' | 'sha256'>>
  readonly firstOffset: number
  lastOffset: number
  events: number
  rawBytes: number
}

/** Writes the records of one partition to compressed files of bounded size. */
export class RecordFiles {
  readonly #folder: string
  readonly #prefix: string
  readonly #rawBytesMax: number
  readonly #files: BackedUpFile[] = []
  #open: OpenFile | undefined

  /** @param topic also the name of the existing subfolder of `folder` for the files. */
  constructor(folder: string, topic: string, partition: number, rawBytesMax = rawBytesMaxDefault) {
    this.#folder = folder
    this.#prefix = `${topic}/${partition}-`
    this.#rawBytesMax = rawBytesMax
  }

  /** @throws an error of the file system. */
  async add(records: readonly StoredRecord[]): Promise<void> {
    const [first, last] = [records[0], records.at(-1)]
    if (first === undefined || last === undefined) return
    const lines = Buffer.from(records.map(recordLine).join(''))
    const open = (this.#open ??= await this.#begin(first.offset))
    open.events += records.length
    open.lastOffset = last.offset
    open.rawBytes += lines.length
    await written(open, lines)
    if (open.rawBytes >= this.#rawBytesMax) await this.#finish()
  }

  /** Finishes the last file. @returns all files; each is on the disk. @throws an error of the file system. */
  async end(): Promise<readonly BackedUpFile[]> {
    await this.#finish()
    return this.#files
  }

  /** Closes the open file without finishing it. */
  async abandon(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    open.gzip.destroy()
    await open.written.catch(() => undefined)
    await open.file.close().catch(() => undefined)
  }

  async #begin(firstOffset: number): Promise<OpenFile> {
    const path = `${this.#prefix}${String(firstOffset).padStart(16, '0')}.ndjson.gz`
    const file = await open(join(this.#folder, path), 'wx', privateFile)
    const gzip = createGzip({ level, memLevel: 9, chunkSize })
    const done = drain(gzip, file)
    // It is awaited with the next lines or at the end. Until then an error must not count as unhandled.
    done.catch(() => undefined)
    return { path, file, gzip, written: done, firstOffset, lastOffset: firstOffset, events: 0, rawBytes: 0 }
  }

  async #finish(): Promise<void> {
    const open = this.#open
    if (open === undefined) return
    open.gzip.end()
    const { bytes, sha256 } = await open.written
    await open.file.close()
    this.#open = undefined
    const { path, events, firstOffset, lastOffset } = open
    this.#files.push({ path, events, firstOffset, lastOffset, bytes, sha256 })
  }
}

/** Writes lines. Resolves when the next lines can be written. */
async function written({ gzip, written: done }: OpenFile, lines: Buffer): Promise<void> {
  if (gzip.write(lines)) return
  // A write error also ends the wait.
  await Promise.race([new Promise((resolve) => gzip.once('drain', resolve)), done])
}

async function drain(gzip: Gzip, file: FileHandle): Promise<Pick<BackedUpFile, 'bytes' | 'sha256'>> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of gzip as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
    await file.writeFile(chunk)
  }
  await file.sync()
  return { bytes, sha256: hash.digest('hex') }
}

/** The problem of a file by size and checksum; undefined if it is intact. */
export async function faultOf(
  folder: string,
  { path, bytes, sha256 }: BackedUpFile,
): Promise<string | undefined> {
  const file = join(folder, path)
  try {
    const { size } = await stat(file)
    if (size !== bytes)
      return `${file} has ${size} bytes instead of ${bytes}: it is ${size < bytes ? 'truncated' : 'longer than what was written'}`
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk)
    }
    return hash.digest('hex') === sha256 ? undefined : `${file} is damaged: its checksum differs`
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? `${file} is missing` : `${file} cannot be read: ${message}`
  }
}

/** The records of a file, in batches. @throws BackupError `damaged` if its content does not match the manifest. */
export async function* readRecords(
  folder: string,
  known: BackedUpFile,
): AsyncGenerator<StoredRecord[], void> {
  const file = join(folder, known.path)
  let events = 0
  let offset = known.firstOffset - 1
  try {
    for await (const lines of linesOf(file)) {
      const records = lines.map(parseRecordLine)
      for (const record of records) {
        if (record.offset <= offset || record.offset > known.lastOffset)
          throw new RangeError(`offset ${record.offset} is out of order`)
        offset = record.offset
      }
      events += records.length
      yield records
    }
    if (events !== known.events) throw new RangeError(`${events} events instead of ${known.events}`)
  } catch (error) {
    if (!isOfContent(error)) throw error
    throw new BackupError('damaged', `${file} is damaged: ${error.message}`, { cause: error })
  }
}

/** Whether the content of the file caused the error. */
const isOfContent = (error: unknown): error is Error =>
  error instanceof SyntaxError ||
  error instanceof RangeError ||
  error instanceof TypeError ||
  (error instanceof Error &&
    'code' in error &&
    (String(error.code).startsWith('Z_') || error.code === 'ENOENT'))

const newline = 0x0a

async function* linesOf(file: string): AsyncGenerator<string[], void> {
  const zipped = createReadStream(file, { highWaterMark: chunkSize })
  const gunzip = createGunzip({ chunkSize })
  zipped.on('error', (error) => gunzip.destroy(error))
  zipped.pipe(gunzip)
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const end = bytes.lastIndexOf(newline)
      rest = bytes.subarray(end + 1)
      if (end >= 0) yield bytes.toString('utf8', 0, end).split('\n')
    }
    if (rest.length > 0) throw new RangeError('its last line is incomplete')
  } finally {
    zipped.destroy()
    gunzip.destroy()
  }
}
