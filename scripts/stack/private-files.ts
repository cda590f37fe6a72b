import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultHome, type StackFolders } from './folders.ts'

/** Events, tokens and logs are for the person who runs the stack, and nobody else. */
export const privateFileMode = 0o600
export const privateFolderMode = 0o700

/** Makes a folder, and those above it that are missing, for this person alone. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: privateFolderMode })
}

/** The folders of a stack, for this person alone, also where an older version made them for all to read. */
export function makePrivateStack({ home, data, logs, run }: StackFolders): void {
  makePrivateFolder(home)
  // Another home is the person's own folder, and may hold more than the stack.
  if (home === defaultHome) chmodSync(home, privateFolderMode)
  for (const folder of [data, logs, run]) makePrivate(folder)
}

/** Takes the rights of all others from a folder and what is in it. What belongs to others, and what links lead to, is left alone. */
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
