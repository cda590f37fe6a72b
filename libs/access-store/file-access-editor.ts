import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import { type AccessDocument, emptyAccess } from '#access'

import type { AccessChange, AccessEditor } from './access-editor.ts'
import { fileFailed, type FileRead, readAccessFile } from './access-file.ts'
import { AccessStoreError } from './access-store-error.ts'
import { applyChanges } from './apply-changes.ts'
import { whileFileLocked } from './file-lock.ts'

/** Edits an access file: under a lock, by a new file that takes its place in one step. */
export class FileAccessEditor implements AccessEditor {
  readonly #path: string
  readonly #lockTimeoutMs: number | undefined

  /** @param lockTimeoutMs how long to wait for another editor; default 10,000 */
  constructor(path: string, lockTimeoutMs?: number) {
    this.#path = path
    this.#lockTimeoutMs = lockTimeoutMs
  }

  async read(): Promise<AccessDocument> {
    return (await readAccessFile(this.#path))?.document ?? emptyAccess
  }

  async edit(decide: (current: AccessDocument) => readonly AccessChange[]): Promise<AccessDocument> {
    const path = await targetOf(this.#path)
    return whileFileLocked(path, this.#lockTimeoutMs, async () => {
      const before = await readAccessFile(path)
      const current = before?.document ?? emptyAccess
      const changes = decide(current)
      const after = applyChanges(current, changes)
      if (changes.length > 0) await replace(path, `${JSON.stringify(after, null, 2)}\n`, before)
      return after
    })
  }
}

/** The file itself, if the path is a link to it. */
const targetOf = (path: string): Promise<string> => realpath(path).catch(() => path)

async function replace(path: string, text: string, before: FileRead | undefined): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`
  try {
    await write(temporary, text, before)
    // An editor of text takes no lock.
    if ((await readAccessFile(path))?.text !== before?.text) {
      throw new AccessStoreError(
        'file-busy',
        `access file ${path} was changed meanwhile: run the command again`,
      )
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error instanceof AccessStoreError ? error : fileFailed(path, 'written', error)
  }
  await syncFolder(dirname(path))
}

async function write(path: string, text: string, before: FileRead | undefined): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await keepOwner(file, before)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Services run as the owner of the file, which the administrator need not be. */
async function keepOwner(file: FileHandle, before: FileRead | undefined): Promise<void> {
  if (before === undefined) return
  const { uid, gid } = before.stamp
  const own = await file.stat()
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid)
}

/** The new name of a file is durable once its folder is. Some file systems cannot do that. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().catch(() => undefined)
  await folder?.close()
}
