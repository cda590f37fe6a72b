import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

import { type AccessDocument, parseAccessDocument } from '#access'

import { AccessStoreError } from './access-store-error.ts'
import { accessBounds } from './bounds.ts'
import { messageOf, parseJson } from './parse-json.ts'

/** The content of an access file, with what changes when the file does. */
export interface FileRead {
  readonly text: string
  readonly document: AccessDocument
  readonly stamp: FileStamp
}

export interface FileStamp {
  /** Equal texts: the same file with the same content and mode, unless it has changed twice within some milliseconds. */
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly changedAtMs: number
  readonly uid: number
  readonly gid: number
}

/**
 * Reads an access file.
 * @returns undefined if it does not exist
 * @throws AccessStoreError `file-unsafe`, `file-invalid`, `file-failed`
 */
export async function readAccessFile(path: string): Promise<FileRead | undefined> {
  const file = await opened(path)
  if (file === undefined) return undefined
  try {
    const stamp = await safeStamp(file, path)
    const text = await file.readFile('utf8').catch((error: unknown) => {
      throw fileFailed(path, 'read', error)
    })
    return { text, document: parsed(path, text), stamp }
  } finally {
    await file.close()
  }
}

/** The stamp of a file, without reading it; undefined if it does not exist. @throws AccessStoreError */
export async function stampOf(path: string): Promise<FileStamp | undefined> {
  const file = await opened(path)
  if (file === undefined) return undefined
  try {
    return await safeStamp(file, path)
  } finally {
    await file.close()
  }
}

export const fileFailed = (path: string, doing: string, error: unknown): AccessStoreError =>
  new AccessStoreError('file-failed', `access file ${path} cannot be ${doing}: ${messageOf(error)}`, {
    cause: error,
  })

async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    // A pipe would wait for its other end.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fileFailed(path, 'read', error)
  }
}

const othersMask = 0o077

async function safeStamp(file: FileHandle, path: string): Promise<FileStamp> {
  const found = await file.stat({ bigint: true })
  if (!found.isFile()) {
    throw new AccessStoreError('file-unsafe', `access file ${path} is not a regular file: name one that is`)
  }
  const mode = Number(found.mode) & 0o777
  if ((mode & othersMask) !== 0) {
    throw new AccessStoreError(
      'file-unsafe',
      `access file ${path} has mode ${mode.toString(8).padStart(4, '0')}, so other users may read or change it: run chmod 600 ${shellWord(path)}`,
    )
  }
  if (found.size > accessBounds.fileBytes) {
    const expected = `expected at most ${accessBounds.fileBytes}`
    throw new AccessStoreError('file-invalid', `access file ${path} has ${found.size} bytes: ${expected}`)
  }
  const parts = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode]
  return {
    text: parts.join('/'),
    changedAtMs: Number(found.ctimeMs),
    uid: Number(found.uid),
    gid: Number(found.gid),
  }
}

function parsed(path: string, text: string): AccessDocument {
  try {
    return parseAccessDocument(parseJson(text))
  } catch (error) {
    throw new AccessStoreError('file-invalid', `access file ${path} is not valid: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
