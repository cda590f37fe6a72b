import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { withBuiltIns } from '#projections'
import { checkDomainSchemas, loadCatalog, SchemaError } from '#schemas'

import { loadDomain } from './load-domain.ts'

/** Domain modules that were checked against their schemas. */
interface CheckedDomain {
  readonly domain: DomainModule
  /** Problems that do not prevent serving. */
  readonly warnings: readonly string[]
}

/**
 * Loads domain modules and checks that the schemas they name exist. Needs no server.
 * @throws InvalidInputError, SchemaError that names the problem; one error lists all missing schemas
 */
export async function checkedDomain({
  domain: { modules, schemaFolders },
  projector,
}: Pick<Config, 'domain' | 'projector'>): Promise<CheckedDomain> {
  const domain = withBuiltIns(await loadDomain(modules), projector.builtIn)
  const { problems, warnings } = checkDomainSchemas(domain, loadCatalog(schemaFolders))
  if (problems.length === 0) return { domain, warnings }
  throw new SchemaError(
    'unknown-schema',
    `domain and schemas do not match (ANNALS_DOMAIN, ANNALS_SCHEMAS: ${schemaFolders.join(', ')}): ${problems.join('; ')}`,
  )
}

/** A warning about event topics whose type is in no domain module; undefined where there are none. */
export function typesWithoutDomain(
  types: readonly string[],
  { aggregates }: Pick<DomainModule, 'aggregates'>,
): string | undefined {
  const unknown = types.filter((type) => !aggregates.some((aggregate) => aggregate.type === type))
  if (unknown.length === 0) return undefined
  const known = aggregates.map(({ type }) => type).join(', ') || 'none'
  return `Kafka has events of ${unknown.join(', ')}, which are in no domain module here: they are not served. ANNALS_DOMAIN has ${known}`
}
