import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { withBuiltIns } from '#projections'
import { checkDomainSchemas, loadCatalog, SchemaError } from '#schemas'

import { loadDomain } from './load-domain.ts'

/** Domain modules that were found to go with their schemas. */
export interface CheckedDomain {
  readonly domain: DomainModule
  /** What can be served all the same. */
  readonly warnings: readonly string[]
}

/**
 * Loads domain modules and looks whether the schemas are there that they name. No server is asked.
 * @throws InvalidInputError, SchemaError that name what is wrong, all of it at once where it is about missing schemas.
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
    `domain and schemas (ANNALS_DOMAIN, ANNALS_SCHEMAS: ${schemaFolders.join(', ')}) do not go together: ${problems.join('; ')}`,
  )
}

/** What to tell of event topics whose type no domain module knows; undefined where there are none. */
export function typesWithoutDomain(
  types: readonly string[],
  { aggregates }: Pick<DomainModule, 'aggregates'>,
): string | undefined {
  const unknown = types.filter((type) => !aggregates.some((aggregate) => aggregate.type === type))
  if (unknown.length === 0) return undefined
  const known = aggregates.map(({ type }) => type).join(', ') || 'none'
  return `Kafka holds events of ${unknown.join(', ')}, which no domain module here knows: they are not served. ANNALS_DOMAIN has ${known}`
}
