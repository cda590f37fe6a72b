import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { repository } from '../stack/index.ts'

/** A package of package-lock.json, for any platform. */
export interface LockedPackage {
  readonly name: string
  readonly version: string
  /** SPDX expression of its package.json, undefined if it has none. */
  readonly licence?: string
  /** Whether Annals runs with it. Otherwise it only builds, checks or tests Annals. */
  readonly isProduct: boolean
  readonly isOptional: boolean
  readonly hasInstallScript: boolean
}

interface LockEntry {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
}

export const lockFile = join(repository, 'package-lock.json')

/** All packages, sorted by name and version. A version that is installed in several folders is listed once. */
export function lockedPackages(text = readFileSync(lockFile, 'utf8')): readonly LockedPackage[] {
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, LockEntry>> }
  const byId = new Map<string, LockedPackage>()
  for (const [folder, entry] of Object.entries(packages)) {
    if (folder === '') continue
    const found = packageOf(folder, entry)
    const id = `${found.name}@${found.version}`
    const before = byId.get(id)
    byId.set(id, { ...found, isProduct: found.isProduct || before?.isProduct === true })
  }
  return [...byId.values()].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version))
}

function packageOf(folder: string, entry: LockEntry): LockedPackage {
  return {
    name: entry.name ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version: entry.version ?? '',
    ...(entry.license !== undefined && { licence: entry.license }),
    isProduct: entry.dev !== true,
    isOptional: entry.optional === true,
    hasInstallScript: entry.hasInstallScript === true,
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
