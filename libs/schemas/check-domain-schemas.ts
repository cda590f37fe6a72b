import { type Aggregate, didYouMean, type DomainModule, type Projection } from '#domain'

import type { SchemaCatalog } from './schema-catalog.ts'
import type { SchemaRole } from './schema-version.ts'

/** What a domain names and its schemas lack. */
interface DomainSchemas {
  /** These prevent the service from starting. */
  readonly problems: readonly string[]
  /** These prevent parts of the domain from being served. */
  readonly warnings: readonly string[]
}

/** Compares what domain modules name with the existing schemas: events, snapshot states, views. */
export function checkDomainSchemas(
  { aggregates, projections }: Pick<DomainModule, 'aggregates' | 'projections'>,
  catalog: SchemaCatalog,
): DomainSchemas {
  const events = aggregates.map((aggregate) => missingEvents(aggregate, catalog))
  return {
    problems: [
      ...events.flatMap(({ problem }) => problem ?? []),
      ...aggregates.flatMap((aggregate) => missingState(aggregate, catalog)),
      ...projections.flatMap((projection) => missingView(projection, catalog)),
    ],
    warnings: events.flatMap(({ warning }) => warning ?? []),
  }
}

function missingEvents(
  { type, eventTypes }: Pick<Aggregate, 'type' | 'eventTypes'>,
  catalog: SchemaCatalog,
): { readonly problem?: string; readonly warning?: string } {
  const known = catalog.names(type, 'event')
  const missing = eventTypes.filter((name) => !known.includes(name))
  if (missing.length === 0) return {}
  if (known.length === 0) {
    return {
      problem: `aggregate ${type} has no event schemas: expected ${fileOf(type, missing[0] ?? '')} and so on. Is ANNALS_SCHEMAS set to the right folder?`,
    }
  }
  const hint = missing.length === 1 ? didYouMean(missing[0] ?? '', known) : ''
  return {
    warning: `aggregate ${type} evolves ${missing.join(', ')} without an event schema: such events cannot be appended or read. Expected ${missing.map((name) => fileOf(type, name)).join(', ')}.${hint}`,
  }
}

const missingState = ({ type, snapshot }: Pick<Aggregate, 'type' | 'snapshot'>, catalog: SchemaCatalog) =>
  missingSchema(`aggregate ${type}`, type, snapshot.schema, 'snapshot', catalog)

const missingView = ({ name, schema }: Pick<Projection, 'name' | 'schema'>, catalog: SchemaCatalog) =>
  missingSchema(`projection ${name}`, name, schema, 'view', catalog)

function missingSchema(
  subject: string,
  folder: string,
  schema: string | undefined,
  role: Exclude<SchemaRole, 'event'>,
  catalog: SchemaCatalog,
): string[] {
  if (schema === undefined) return []
  const found = catalog.latest(folder, schema)
  if (found?.role === role) return []
  if (found !== undefined) {
    return [
      `${subject}: its ${role} schema ${schema} (${found.file}) has the role "${found.role}": expected "${role}"`,
    ]
  }
  const hint = didYouMean(schema, catalog.names(folder, role))
  return [
    `${subject}: there is no ${role} schema ${schema}: expected ${fileOf(folder, schema)} with "role": "${role}".${hint}`,
  ]
}

const fileOf = (folder: string, name: string): string => `${folder}/${name}.v1.avsc`
