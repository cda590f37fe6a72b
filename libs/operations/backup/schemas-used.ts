import type { SchemaRegistry } from '#schemas'

import type { BackedUpSchema, Manifest } from './manifest.ts'

const headerBytes = 5

/** The schema id at the start of a value in the Confluent wire format; undefined for any other value. */
export const schemaIdIn = (value: Buffer | null): number | undefined =>
  value !== null && value.length >= headerBytes && value[0] === 0 ? value.readUInt32BE(1) : undefined

/** The same value with another schema id. */
export function withSchemaId(value: Buffer, id: number): Buffer {
  const changed = Buffer.from(value)
  changed.writeUInt32BE(id, 1)
  return changed
}

type SchemasUsed = Pick<Manifest, 'schemas' | 'unknownSchemaIds'>

/**
 * All versions of the subjects that these ids belong to. @param before the schemas of earlier backups of the chain; they are included.
 * @throws SchemaError
 */
export async function schemasOf(
  registry: SchemaRegistry,
  ids: ReadonlySet<number>,
  before: SchemasUsed,
): Promise<SchemasUsed> {
  const subjects = new Set(before.schemas.map(({ subject }) => subject))
  const unknown = new Set(before.unknownSchemaIds)
  const known = new Set(before.schemas.map(({ id }) => id))
  for (const id of [...ids].filter((each) => !known.has(each))) {
    const uses = await registry.usesOf(id)
    for (const { subject } of uses) subjects.add(subject)
    if (uses.length === 0) unknown.add(id)
  }
  const schemas = new Map(before.schemas.map((schema) => [placeOf(schema), schema]))
  for (const subject of subjects) {
    for (const schema of await registry.versionsOf(subject)) schemas.set(placeOf(schema), schema)
  }
  return {
    schemas: [...schemas.values()].sort(inOrder),
    unknownSchemaIds: [...unknown].sort((a, b) => a - b),
  }
}

/** Includes the id: a registry that was rebuilt may assign another id, while older values still name the first. */
const placeOf = ({ subject, version, id }: BackedUpSchema): string => `${subject} ${version} ${id}`

const inOrder = (a: BackedUpSchema, b: BackedUpSchema): number =>
  a.subject === b.subject ? a.version - b.version : a.subject < b.subject ? -1 : 1
