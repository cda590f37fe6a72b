import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type StackPasswords, stackPasswordNames, stackPasswords } from '#config'
import type { StackFolders } from './folders.ts'
import { makePrivateFolder, writePrivateFile } from './private-files.ts'

const secretBytes = 32

/** The passwords of a stack. The first call makes them, every later one returns the same. */
export function provideSecrets({ home, secrets }: StackFolders): Required<StackPasswords> {
  makePrivateFolder(secrets)
  chmodSync(secrets, 0o700)
  const known = stackPasswords(home)
  for (const name of stackPasswordNames) if (known[name] === undefined) makeSecret(join(secrets, name))
  return stackPasswords(home) as Required<StackPasswords>
}

/** The file appears complete, and of two starts at the same time one makes it. An empty one is replaced. */
function makeSecret(path: string): void {
  const temporary = `${path}.${process.pid}`
  writePrivateFile(temporary, `${randomBytes(secretBytes).toString('base64url')}\n`)
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path, { force: true })
  try {
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(temporary)
  }
}
