import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultHome, type StackFolders } from './folders.ts'

/** Events, tokens and logs are private to the user who runs the stack. */
export const privateFileMode = 0o600
const privateFolderMode = 0o700

/** Creates a private folder, including missing parents. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: privateFolderMode })
}

/** Writes a file that only this user can read, even if it existed with other permissions. */
export function writePrivateFile(path: string, content: string): void {
  writeFileSync(path, '', { mode: privateFileMode, flag: 'a' })
  chmodSync(path, privateFileMode)
  writeFileSync(path, content)
}

/** Makes the folders of a stack private, including those that an older version left readable for others. */
export function makePrivateStack({ home, data, logs, run, secrets }: StackFolders): void {
  makePrivateFolder(home)
  // Any other home is the user's own folder and may contain more than the stack.
  if (home === defaultHome) chmodSync(home, privateFolderMode)
  for (const folder of [data, logs, run, secrets]) makePrivate(folder)
}

/**
 * Removes the permissions of all other users from a folder and its content. Files of other users, and the targets of
 * links, are left alone.
 */
export function makePrivate(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.uid !== process.getuid?.()) return
  if (found.isDirectory()) {
    tighten(path, found.mode, privateFolderMode)
    for (const name of readdirSync(path)) makePrivate(join(path, name))
  } else if (found.isFile()) tighten(path, found.mode, privateFileMode)
}

function tighten(path: string, mode: number, wanted: number): void {
  if ((mode & 0o777) !== wanted) chmodSync(path, wanted)
}
