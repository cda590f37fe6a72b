import type { UpcasterChain } from '#domain'

import { headerBytes, RecordCodec } from './record-codec.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import type { SchemaVersion } from './schema-version.ts'

/** The bytes of a sample as read by its own version and by the latest. */
interface ReadSample {
  readonly written: unknown
  readonly latest: unknown
}

/**
 * Decodes a body that a schema version wrote: with that version, and through Avro's resolution and the upcasters with
 * the latest.
 * @throws Error when it cannot be decoded, an upcaster fails, or the result does not fit the latest version
 */
export function readSample(
  catalog: SchemaCatalog,
  upcasters: UpcasterChain,
  schema: SchemaVersion,
  body: string,
): ReadSample {
  const bytes = Buffer.concat([Buffer.alloc(headerBytes), Buffer.from(body, 'base64')])
  const { aggregateType, name } = schema
  const reader = catalog.line(schema.fullName).at(-1) ?? schema
  const latest = catalog.latest(aggregateType, name) ?? schema
  const resolved = new RecordCodec(reader).readerOf(schema.type)(bytes)
  const data =
    schema.role === 'event'
      ? upcasters.upcast(aggregateType, name, reader.version, latest.version, resolved)
      : resolved
  // A state or view of another line is never read: snapshots and views are rebuilt after such a step.
  if (schema.role === 'event' || reader === latest) new RecordCodec(latest).encode(0, data)
  return { written: new RecordCodec(schema).readerOf(schema.type)(bytes), latest: data }
}
