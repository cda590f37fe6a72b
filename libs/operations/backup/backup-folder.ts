import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { unreadable } from '../open-file.ts'
import { writeFailure } from '../file-failure.ts'
import { BackupError } from './backup-error.ts'
import { backupIdPattern, checksumsName, type Manifest, manifestName, parseManifest } from './manifest.ts'
import { makePrivate, privateFolder } from '../private-files.ts'

/** A backup in the folder. */
export interface StoredBackup {
  readonly manifest: Manifest
  /** Checksum of the manifest file. */
  readonly sha256: string
  /** The path of its files. */
  readonly folder: string
}

/** The ids of a full backup and of the incremental backups after it, oldest first. */
export type ChainIds = readonly string[]

const leftoverPattern = /^\d{8}T\d{6}\.\d{3}Z-(full|incremental)\.(partial|removed)$/

export const sha256Of = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** A folder of backups. Each backup is a subfolder that appears and disappears by a rename. */
export class BackupFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Opens an existing folder. @throws BackupError `no-backup`; OperationError `invalid-request` if it cannot be read. */
  static async open(path: string): Promise<BackupFolder> {
    const found = await stat(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw unreadable(path, error)
    })
    if (found?.isDirectory() === true) return new BackupFolder(path)
    throw new BackupError(
      'no-backup',
      found === undefined ? `folder ${path} does not exist` : `${path} is not a folder`,
    )
  }

  /** Opens a folder to write to; creates it if it is missing. @throws OperationError if it cannot be created. */
  static async make(path: string): Promise<BackupFolder> {
    try {
      await mkdir(path, { recursive: true, mode: privateFolder })
    } catch (error) {
      throw writeFailure(path, error)
    }
    return new BackupFolder(path)
  }

  /** Oldest first. */
  async chains(): Promise<readonly ChainIds[]> {
    const chains: string[][] = []
    for (const id of (await this.#names()).filter((name) => backupIdPattern.test(name))) {
      const last = chains.at(-1)
      if (last === undefined || id.endsWith('-full')) chains.push([id])
      else last.push(id)
    }
    return chains
  }

  /** @throws BackupError `damaged` if its manifest is missing or does not match its checksum. */
  async read(id: string): Promise<StoredBackup> {
    const folder = join(this.path, id)
    const file = join(folder, manifestName)
    const [text, sums] = await Promise.all([contentOf(file), contentOf(join(folder, checksumsName))])
    const sha256 = sha256Of(text)
    if (!sums.split('\n').includes(`${sha256}  ${manifestName}`)) {
      throw new BackupError(
        'damaged',
        `${file} is damaged: it does not match its checksum in ${checksumsName}`,
      )
    }
    const manifest = parseManifest(text, file)
    if (manifest.id !== id) {
      throw new BackupError(
        'damaged',
        `${file} is the manifest of backup ${manifest.id}: the folder was renamed`,
      )
    }
    return { manifest, sha256, folder }
  }

  /** All backups of a chain; each continues the one before it. @throws BackupError `damaged` */
  async readChain(ids: ChainIds): Promise<readonly StoredBackup[]> {
    const { chain, fault } = await this.readUpToFault(ids)
    if (fault !== undefined) throw fault
    return chain
  }

  /** The backups of a chain before the first damaged one, and the error of that one. */
  async readUpToFault(
    ids: ChainIds,
  ): Promise<{ readonly chain: readonly StoredBackup[]; readonly fault?: BackupError }> {
    const chain: StoredBackup[] = []
    for (const id of ids) {
      try {
        const backup = await this.read(id)
        checkLink(chain.at(-1), backup)
        chain.push(backup)
      } catch (error) {
        if (error instanceof BackupError) return { chain, fault: error }
        throw error
      }
    }
    return { chain }
  }

  /** The chain that the next backup continues; empty if there is none. @throws BackupError `damaged` */
  async lastChain(): Promise<readonly StoredBackup[]> {
    const ids = (await this.chains()).at(-1) ?? []
    try {
      return await this.readChain(ids)
    } catch (error) {
      if (!(error instanceof BackupError)) throw error
      const { message } = error
      throw new BackupError(
        'damaged',
        `${message}. The chain cannot be continued: start a new one with --full`,
        {
          cause: error,
        },
      )
    }
  }

  /** Removes leftovers of backups that were killed. */
  async clean(): Promise<void> {
    for (const name of await this.#names()) {
      if (leftoverPattern.test(name)) await rm(join(this.path, name), { recursive: true, force: true })
    }
  }

  /** Makes backups private that an older version created readable by others. The folder of backups itself is left unchanged. */
  async tighten(): Promise<void> {
    for (const name of await this.#names()) {
      if (backupIdPattern.test(name)) await makePrivate(join(this.path, name))
    }
  }

  /** Creates the folder that a backup is written to. It counts as a backup only after {@link commit}. */
  async begin(id: string): Promise<string> {
    const folder = join(this.path, `${id}.partial`)
    await mkdir(folder, { mode: privateFolder })
    return folder
  }

  /** Turns the folder into a backup. All its files must be on the disk already. */
  async commit(id: string): Promise<void> {
    await rename(join(this.path, `${id}.partial`), join(this.path, id))
    await syncFolder(this.path)
  }

  async discard(id: string): Promise<void> {
    await rm(join(this.path, `${id}.partial`), { recursive: true, force: true })
  }

  /** Removes a backup. The rename makes it disappear in one step. */
  async remove(id: string): Promise<void> {
    const removed = join(this.path, `${id}.removed`)
    await rename(join(this.path, id), removed)
    await rm(removed, { recursive: true, force: true })
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.path)).sort()
    } catch (error) {
      throw unreadable(this.path, error)
    }
  }
}

/** @throws BackupError `damaged` if the backup does not continue the one before it. */
function checkLink(before: StoredBackup | undefined, { manifest, folder }: StoredBackup): void {
  const { previous, kind } = manifest
  const isFirst = kind === 'full' && previous === undefined && before === undefined
  const follows =
    previous !== undefined && previous.id === before?.manifest.id && previous.sha256 === before.sha256
  if (isFirst || follows) return
  const expected = previous === undefined ? 'nothing' : previous.id
  throw new BackupError(
    'damaged',
    `${folder} continues ${expected}, but ${before === undefined ? 'that is missing' : `the backup before it is ${before.manifest.id}, or a different one with that id`}`,
  )
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new BackupError('damaged', code === 'ENOENT' ? `${file} is missing` : `${file}: ${message}`, {
      cause: error,
    })
  }
}

/** Flushes a folder, so that the names in it survive a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
