import { init, type ModuleInfos } from 'license-checker-rseidelsohn'

import { repository } from '../stack/index.ts'
import { licenceOf } from './licences.ts'
import type { LockedPackage } from './locked-packages.ts'

/**
 * Compares the licences that package-lock.json states with what license-checker finds in the installed packages, which also reads
 * their licence files. A line for each package that differs.
 */
export async function installedFaults(packages: readonly LockedPackage[]): Promise<readonly string[]> {
  const stated = new Map(packages.map((each) => [`${each.name}@${each.version}`, licenceOf(each)]))
  return Object.entries(await installed()).flatMap(([id, { licenses }]) => {
    if (!stated.has(id))
      return id.startsWith('annals@') ? [] : [`${id} is installed, but not in package-lock.json`]
    const found = [licenses ?? []].flat().join(' AND ')
    // With * it is a guess from the text of a file. Guesses about what someone has read are wrong at times.
    return found === stated.get(id) || found.endsWith('*')
      ? []
      : [`${id}: package-lock.json states ${stated.get(id)}, the installed package ${found}`]
  })
}

const installed = (): Promise<ModuleInfos> =>
  new Promise((resolve, reject) => {
    init({ start: repository }, (error, packages) => {
      if (error) reject(error)
      else resolve(packages)
    })
  })
