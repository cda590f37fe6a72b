import allowed from './allowed-licences.json' with { type: 'json' }
import type { LockedPackage } from './locked-packages.ts'

const readFromTheirFiles: Readonly<Record<string, string>> = allowed.readFromTheirFiles

/** The SPDX expression of a package: of its package.json, or as someone read it in its licence file. */
export const licenceOf = ({ name, licence }: LockedPackage): string | undefined =>
  licence ?? (Object.hasOwn(readFromTheirFiles, name) ? readFromTheirFiles[name] : undefined)

/** What is wrong with the licences, a line for each package. */
export function licenceFaults(packages: readonly LockedPackage[]): readonly string[] {
  return packages.flatMap((each) => {
    const licence = licenceOf(each)
    const { name, version, isProduct } = each
    if (licence === undefined) return [`${name}@${version} states no licence`]
    const list = isProduct ? allowed.product : [...allowed.product, ...allowed.tools]
    return list.includes(licence)
      ? []
      : [
          `${name}@${version} has the licence ${licence}, which is not allowed for ${isProduct ? 'the product' : 'tools'}`,
        ]
  })
}

/** Entries of the list that no package needs any more. */
export function unusedLicences(packages: readonly LockedPackage[]): readonly string[] {
  const used = new Set(packages.map(licenceOf))
  const unstated = new Set(packages.filter(({ licence }) => licence === undefined).map(({ name }) => name))
  return [
    ...allowed.tools.filter((licence) => !used.has(licence)),
    ...Object.keys(readFromTheirFiles).filter((name) => !unstated.has(name)),
  ]
}
