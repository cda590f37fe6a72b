import { licenceOf } from './licences.ts'
import type { LockedPackage } from './locked-packages.ts'

const head = `# Licences

Generated from package-lock.json by \`npm run licences\`; do not edit. A test fails if it is out of date.
[Supply chain](supply-chain.md) explains the list of allowed licences.
Annals itself is under the Apache License 2.0.
`

/** docs/operations/licences.md, before it is formatted. */
export function licencesPage(packages: readonly LockedPackage[]): string {
  const product = packages.filter(({ isProduct }) => isProduct)
  const tools = packages.filter(({ isProduct }) => !isProduct)
  return `${head}
## The product

The ${product.length} packages that Annals runs with.

| package | version | licence |
| --- | --- | --- |
${product.map((each) => `| ${each.name} | ${each.version} | ${licenceOf(each) ?? 'unknown'} |`).join('\n')}

## Tools

The ${tools.length} packages that only build, check or test Annals, for all platforms. They are not part of the product.

| licence | packages |
| --- | --- |
${byLicence(tools)
  .map(([licence, names]) => `| ${licence} | ${names.length > listedMax ? names.length : names.join(', ')} |`)
  .join('\n')}
`
}

/** Of a licence with more packages, only their number is of interest. */
const listedMax = 40

function byLicence(packages: readonly LockedPackage[]): readonly (readonly [string, readonly string[]])[] {
  const names = new Map<string, Set<string>>()
  for (const each of packages) {
    const licence = licenceOf(each) ?? 'unknown'
    names.set(licence, (names.get(licence) ?? new Set()).add(each.name))
  }
  return [...names].map(([licence, all]) => [licence, [...all]] as const).sort(([a], [b]) => (a < b ? -1 : 1))
}
