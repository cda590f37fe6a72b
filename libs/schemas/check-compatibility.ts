import type { UpcasterChain } from '#domain'

import { incompatibilities } from './compatibility.ts'
import { type SchemaCatalog, suggestedNamespace } from './schema-catalog.ts'
import { reasonOf } from './schema-error.ts'
import type { SchemaProblem } from './schema-problem.ts'
import type { SchemaVersion } from './schema-version.ts'

/** Versions of one full name read each other (FULL_TRANSITIVE), and each breaking step has an upcaster. */
export const checkCompatibility = (
  catalog: SchemaCatalog,
  upcasters: UpcasterChain,
): readonly SchemaProblem[] => [
  ...catalog.all.flatMap((schema) => checkLine(catalog, schema)),
  ...catalog.all.flatMap((schema) => checkStep(catalog, upcasters, schema)),
]

function checkLine(catalog: SchemaCatalog, schema: SchemaVersion): readonly SchemaProblem[] {
  const earlier = catalog.line(schema.fullName).filter(({ version }) => version < schema.version)
  return earlier.flatMap((other) => [
    ...checkPair(schema, schema, other),
    ...checkPair(schema, other, schema),
  ])
}

function checkPair(
  schema: SchemaVersion,
  reader: SchemaVersion,
  writer: SchemaVersion,
): readonly SchemaProblem[] {
  const remedy = `Only fields with a default may be added or removed. For any other change use a separate namespace, e.g. ${suggestedNamespace(schema)}, and an upcaster from version ${schema.version - 1}`
  const direction = `version ${reader.version} cannot read version ${writer.version}`
  const found = incompatibilities(reader.shape, writer.shape)
  if (found.length > 0) {
    return found.map(({ path, message }) => ({
      file: schema.file,
      path,
      message: `${direction}: ${message}`,
      remedy,
    }))
  }
  try {
    reader.type.createResolver(writer.type)
    return []
  } catch (error) {
    return [{ file: schema.file, message: `${direction}: ${reasonOf(error)}`, remedy }]
  }
}

function checkStep(
  catalog: SchemaCatalog,
  upcasters: UpcasterChain,
  schema: SchemaVersion,
): readonly SchemaProblem[] {
  const { aggregateType, name, version } = schema
  const before = catalog.versions(aggregateType, name)[version - 2]
  if (before === undefined || schema.role !== 'event') return []
  const step = `upcaster of ${aggregateType}.${name} from version ${before.version}`
  const breaking = before.fullName !== schema.fullName
  const covered = upcasters.has(aggregateType, name, before.version)
  if (breaking && !covered) {
    return [
      {
        file: schema.file,
        message: `its full name ${schema.fullName} breaks with version ${before.version} (${before.fullName}), and there is no ${step}`,
        remedy: `Add one to the domain module: defineUpcaster({ aggregateType: '${aggregateType}', eventType: '${name}', fromVersion: ${before.version}, upcast })`,
      },
    ]
  }
  if (!breaking && covered) {
    return [
      {
        file: schema.file,
        message: `the ${step} never runs, because Avro itself reads version ${before.version} as ${version}`,
        remedy: `Remove it, or give version ${version} a separate namespace, e.g. ${suggestedNamespace(schema)}`,
      },
    ]
  }
  return []
}
