import { chmod, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { userId } from '#service'

/** What jobs write holds events: only the user who runs them may read it. An umask can only take more rights away. */
export const privateFile = 0o600
export const privateFolder = 0o700

/** Of a file system that has no modes, or cannot change them. */
const unchangeable: readonly unknown[] = ['EPERM', 'EROFS', 'ENOTSUP', 'ENOSYS']

/**
 * Takes the rights of all others from a folder and what is in it. What another user owns, and what links lead to, is left alone, as is
 * everything where modes cannot be changed.
 */
export async function makePrivate(path: string): Promise<void> {
  const found = await lstat(path)
  if (found.uid !== userId()) return
  if (found.isDirectory()) {
    await tighten(path, found.mode, privateFolder)
    for (const name of await readdir(path)) await makePrivate(join(path, name))
  } else if (found.isFile()) await tighten(path, found.mode, privateFile)
}

async function tighten(path: string, mode: number, wanted: number): Promise<void> {
  if ((mode & 0o777) === wanted) return
  await chmod(path, wanted).catch((error: unknown) => {
    if (!unchangeable.includes((error as NodeJS.ErrnoException).code)) throw error
  })
}
