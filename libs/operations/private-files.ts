import { chmod, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { userId } from '#service'

/** Files of jobs contain events, so only the user who runs the job may read them. An umask can only remove more rights. */
export const privateFile = 0o600
export const privateFolder = 0o700

/** Errors of a file system that has no modes, or cannot change them. */
const unchangeable: readonly unknown[] = ['EPERM', 'EROFS', 'ENOTSUP', 'ENOSYS']

/**
 * Removes the rights of all other users from a folder and its contents. Files of other users and targets of links are unchanged, and so is
 * everything on a file system that cannot change modes.
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
