import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Finds folders that are not 0700 and files that are not 0600 under a path; each with its mode. */
export function openToOthers(path: string): string[] {
  const found = lstatSync(path)
  if (found.isSymbolicLink()) return []
  const mode = (found.mode & 0o777).toString(8)
  const own = mode === (found.isDirectory() ? '700' : '600') ? [] : [`${path} ${mode}`]
  return found.isDirectory()
    ? [...own, ...readdirSync(path).flatMap((name) => openToOthers(join(path, name)))]
    : own
}
