import { quote } from '#domain'

import type { SchemaCatalog } from './schema-catalog.ts'
import { SchemaError, UnknownEventTypeError } from './schema-error.ts'
import type { SchemaRole } from './schema-version.ts'

/** Why nothing of this name can be written in this role, with the names that can. */
export function noSchemaOf(
  catalog: SchemaCatalog,
  aggregateType: string,
  name: string,
  role: SchemaRole,
): UnknownEventTypeError | SchemaError {
  const known = catalog.names(aggregateType, role)
  if (role === 'event') return new UnknownEventTypeError(aggregateType, name, known)
  return new SchemaError(
    'unknown-schema',
    `${aggregateType} has no schema ${quote(name)} with the role "${role}": it has ${known.join(', ') || 'none'}`,
  )
}
