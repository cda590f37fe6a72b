import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { uniqueName } from '../stack/stack.ts'

/** The customers of the example under unique names, so that tests can share a cluster. */
export interface FreshDomain {
  /** Aggregate types; each has its own topic. */
  readonly types: readonly string[]
  /** The example's projections, of the first type. */
  readonly projections: { readonly lifetime: string; readonly monthly: string }
  readonly modulePath: string
  readonly schemaFolder: string
  remove(): void
}

export function freshDomain(typeCount = 1): FreshDomain {
  const folder = mkdtempSync(join(tmpdir(), 'annals-domain-'))
  const types = Array.from({ length: typeCount }, () => uniqueName('customer'))
  const schemaFolder = join(folder, 'schemas')
  const projections = { lifetime: uniqueName('customer-lifetime'), monthly: uniqueName('monthly-revenue') }
  for (const type of types) copySchemas('customer', type, schemaFolder)
  copySchemas('customer-lifetime', projections.lifetime, schemaFolder)
  copySchemas('monthly-revenue', projections.monthly, schemaFolder)
  const modulePath = join(folder, 'domain.ts')
  writeFileSync(modulePath, moduleText(types, projections))
  return { types, projections, modulePath, schemaFolder, remove: () => rmSync(folder, { recursive: true }) }
}

/** The namespaces differ too, because a full name must denote one schema across all folders. */
function copySchemas(from: string, to: string, schemaFolder: string): void {
  mkdirSync(join(schemaFolder, to), { recursive: true })
  const source = join('schemas', from)
  for (const file of readdirSync(source).filter((name) => name.endsWith('.avsc'))) {
    const schema = JSON.parse(readFileSync(join(source, file), 'utf8')) as object
    const moved = { ...schema, namespace: to.replaceAll('-', '_') }
    writeFileSync(join(schemaFolder, to, file), JSON.stringify(moved))
  }
}

const moduleText = (types: readonly string[], { lifetime, monthly }: FreshDomain['projections']): string =>
  [
    `import { customer } from '${moduleUrl('examples/customers/customer.ts')}'`,
    `import { customerLifetime, monthlyRevenue } from '${moduleUrl('examples/customers/projections.ts')}'`,
    `const aggregates = ${JSON.stringify(types)}.map((type) => ({ ...customer, type }))`,
    `const sources = ${JSON.stringify(types.slice(0, 1))}`,
    'const projections = [',
    `  { ...customerLifetime, name: '${lifetime}', sources },`,
    `  { ...monthlyRevenue, name: '${monthly}', sources },`,
    ']',
    'export default { aggregates, projections, upcasters: [] }',
    '',
  ].join('\n')

const moduleUrl = (path: string): string => pathToFileURL(resolve(path)).href
