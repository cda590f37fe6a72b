import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { loadCatalog, type SchemaCatalog, SchemaRegistry } from '#schemas'
import { registryOptions } from '#service'

import { fail, type DoctorFinding, ok } from './finding.ts'

/** Checks that every event type has a schema, and that the registry has them all. */
export async function checkDomainSchemas(
  config: Config,
  domain: DomainModule,
): Promise<readonly DoctorFinding[]> {
  const catalog = loadCatalog(config.domain.schemaFolders)
  const registry = new SchemaRegistry(registryOptions(config))
  const missing: DoctorFinding[] = []
  for (const { file, subject, text } of catalog.all) {
    if ((await registry.find(subject, text)) !== undefined) continue
    missing.push(
      fail(
        `schema ${file}`,
        `it is not registered at ${registry.url}: its events cannot be written`,
        'Run ./annals schemas push',
      ),
    )
  }
  const count = catalog.all.length - missing.length
  const registered = ok('schema registry', `${count} schema versions are registered at ${registry.url}`)
  return [registered, ...missing, ...withoutSchema(domain, catalog)]
}

const withoutSchema = (domain: DomainModule, catalog: SchemaCatalog): DoctorFinding[] =>
  domain.aggregates.flatMap(({ type, eventTypes }) =>
    eventTypes
      .filter((name) => catalog.latest(type, name) === undefined)
      .map((name) =>
        fail(
          `event ${type}.${name}`,
          'it has no schema in the folders in ANNALS_SCHEMAS',
          `Write ${type}/${name}.v1.avsc, then run ./annals schemas release`,
        ),
      ),
  )
