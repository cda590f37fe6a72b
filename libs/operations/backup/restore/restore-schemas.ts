import type { StoredRecord } from '#kafka'
import type { SchemaRegistry } from '#schemas'

import type { BackedUpSchema } from '../manifest.ts'
import { schemaIdIn, withSchemaId } from '../schemas-used.ts'

/** New ids of schemas by old ids. */
export type SchemaIds = ReadonlyMap<number, number>

/** Registers missing schemas, subject by subject in the order of versions. @throws SchemaError */
export async function restoreSchemas(
  registry: SchemaRegistry,
  schemas: readonly BackedUpSchema[],
): Promise<SchemaIds> {
  const ids = new Map<number, number>()
  for (const { subject, id, text } of schemas) {
    const known = (await registry.find(subject, text)) ?? (await registry.register(subject, text))
    ids.set(id, ids.get(id) ?? known)
  }
  return ids
}

/** The record with its new schema id. A record without a schema id, or with one that the backup does not contain, is unchanged. */
export function withRestoredId(record: StoredRecord, ids: SchemaIds): StoredRecord {
  const { value } = record
  const before = schemaIdIn(value)
  const now = before === undefined ? undefined : ids.get(before)
  if (value === null || now === undefined || now === before) return record
  return { ...record, value: withSchemaId(value, now) }
}
