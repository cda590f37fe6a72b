// Lists the licences of all packages in docs/operations/licences.md, and checks them: npm run licences
import { writeFile } from 'node:fs/promises'

import { format, resolveConfig } from 'prettier'

import { installedFaults } from './installed-licences.ts'
import { licenceFaults } from './licences.ts'
import { licencesPage } from './licences-page.ts'
import { lockedPackages } from './locked-packages.ts'

const path = new URL('../../docs/operations/licences.md', import.meta.url).pathname
const packages = lockedPackages()
await writeFile(
  path,
  await format(licencesPage(packages), { ...(await resolveConfig(path)), filepath: path }),
)

const faults = [...licenceFaults(packages), ...(await installedFaults(packages))]
for (const fault of faults) console.error(fault)
if (faults.length > 0) {
  console.error(
    'Judge each licence: replace the package, or add the licence to scripts/supply-chain/allowed-licences.json.',
  )
  process.exitCode = 1
} else {
  console.log(`${packages.length} packages, all with allowed licences: docs/operations/licences.md`)
}
