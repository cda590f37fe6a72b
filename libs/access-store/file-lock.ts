import { readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'

import { Backoff, deadlineIn, pause } from '#async'

import { fileFailed } from './access-file.ts'
import { AccessStoreError } from './access-store-error.ts'

const timeoutMsDefault = 10_000
const retryLimits = { delayMsMin: 20, delayMsMax: 250 }

/**
 * Runs work while this process holds the lock of a file, a second file beside it. The lock of a killed process is not taken over,
 * because two processes could do that at once: the error says which file to remove.
 * @throws AccessStoreError `file-busy`, `file-failed`, and what the work throws
 */
export async function whileFileLocked<T>(
  path: string,
  timeoutMs: number | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const lock = `${path}.lock`
  await take(lock, path, deadlineIn(timeoutMs ?? timeoutMsDefault))
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function take(lock: string, path: string, deadline: number): Promise<void> {
  const backoff = new Backoff(retryLimits)
  const owner = `process ${process.pid} on ${hostname()}`
  for (;;) {
    try {
      await writeFile(lock, owner, { flag: 'wx', mode: 0o600 })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFailed(path, 'changed', error)
    }
    const pauseMs = backoff.nextMs()
    if (performance.now() + pauseMs >= deadline) throw await busy(lock, path)
    await pause(pauseMs)
  }
}

async function busy(lock: string, path: string): Promise<AccessStoreError> {
  const owner = await readFile(lock, 'utf8').catch(() => '')
  const who = owner === '' ? 'another process' : owner
  return new AccessStoreError(
    'file-busy',
    `access file ${path} is being changed by ${who}: try again. If that process was killed, remove ${lock} first`,
  )
}
