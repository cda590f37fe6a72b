import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { uniqueName } from './stack.ts'

/** The customer of the example under aggregate types of its own, so that tests can share a cluster. */
export interface FreshDomain {
  /** Aggregate types; each has a topic of its own. */
  readonly types: readonly string[]
  readonly modulePath: string
  readonly schemaFolder: string
  remove(): void
}

export function freshDomain(typeCount = 1): FreshDomain {
  const folder = mkdtempSync(join(tmpdir(), 'annals-domain-'))
  const types = Array.from({ length: typeCount }, () => uniqueName('customer'))
  const schemaFolder = join(folder, 'schemas')
  for (const type of types) copySchemas(type, schemaFolder)
  const modulePath = join(folder, 'domain.ts')
  writeFileSync(modulePath, moduleText(types))
  return { types, modulePath, schemaFolder, remove: () => rmSync(folder, { recursive: true }) }
}

/** Types differ in their namespaces, too: a full name is one schema in all folders together. */
function copySchemas(type: string, schemaFolder: string): void {
  mkdirSync(join(schemaFolder, type), { recursive: true })
  const source = 'schemas/customer'
  for (const file of readdirSync(source).filter((name) => name.endsWith('.avsc'))) {
    const text = readFileSync(join(source, file), 'utf8')
    const namespace = type.replaceAll('-', '_')
    writeFileSync(
      join(schemaFolder, type, file),
      text.replace('"namespace": "customer"', `"namespace": "${namespace}"`),
    )
  }
}

const moduleText = (types: readonly string[]): string =>
  [
    `import { customer } from '${pathToFileURL(resolve('examples/customers/customer.ts')).href}'`,
    `const aggregates = ${JSON.stringify(types)}.map((type) => ({ ...customer, type }))`,
    'export default { aggregates, projections: [], upcasters: [] }',
    '',
  ].join('\n')
