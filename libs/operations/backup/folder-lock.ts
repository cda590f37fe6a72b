import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { isRunning, processId } from '#service'

import { BackupError } from './backup-error.ts'
import { writeFailure } from '../file-failure.ts'
import { privateFile } from '../private-files.ts'

const beatMs = 5_000
/** A lock that was not touched for this long is stale. */
const staleMs = 60_000

interface Owner {
  readonly host: string
  readonly pid: number
}

/**
 * Runs work while this process holds the lock of a folder. The lock of a killed process is taken over: immediately on the same machine,
 * after a minute on another.
 * @throws BackupError `folder-busy`
 */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = join(folder, '.lock')
  await take(file, folder)
  const beating = setInterval(() => void touch(file), beatMs)
  try {
    return await work()
  } finally {
    clearInterval(beating)
    await rm(file, { force: true })
  }
}

async function take(file: string, folder: string): Promise<void> {
  const own: Owner = { host: hostname(), pid: processId }
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: privateFile })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writeFailure(folder, error)
    }
    if (await isAlive(file)) break
    await rm(file, { force: true })
  }
  throw new BackupError(
    'folder-busy',
    `${await ownerText(file)} is writing to ${folder}: wait until it is done. The lock of a killed process expires after a minute`,
  )
}

async function isAlive(file: string): Promise<boolean> {
  const owner = await ownerOf(file)
  if (owner?.host === hostname() && !isRunning(owner.pid)) return false
  const touchedMs = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => -Infinity,
  )
  return Date.now() - touchedMs < staleMs
}

const ownerOf = (file: string): Promise<Owner | undefined> =>
  readFile(file, 'utf8')
    .then(
      (text) => JSON.parse(text) as Owner,
      () => undefined,
    )
    .catch(() => undefined)

async function ownerText(file: string): Promise<string> {
  const owner = await ownerOf(file)
  return owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`
}

const touch = (file: string): Promise<void> => utimes(file, new Date(), new Date()).catch(() => undefined)
