import { createUpcasterChain, InvalidInputError, type UpcasterChain } from '#domain'

import { canonicalFormOf } from './canonical-form.ts'
import { headerBytes, RecordCodec } from './record-codec.ts'
import type { SchemaCatalog } from './schema-catalog.ts'
import { UnknownEventTypeError } from './schema-error.ts'
import type { SchemaVersion } from './schema-version.ts'

/** Data that fits its schema. */
interface CheckedData {
  /** In the form of the latest version. */
  readonly data: unknown
  /** One text for all spellings of the same data, in the schema version in which it was given. */
  canonical(): string
}

/**
 * @param schemaVersion the version of the data; by default the latest
 * @throws InvalidInputError with the path of the field that does not fit; UnknownEventTypeError
 */
export type EventCheck = (
  aggregateType: string,
  eventType: string,
  data: unknown,
  schemaVersion?: number,
) => CheckedData

/** The check of one schema version. */
type VersionCheck = (data: unknown) => CheckedData

/**
 * Checks data like {@link EventCodec.encode}, but needs only the catalog, not a registry. Data of an older version is
 * converted to the latest like stored data: by Avro's resolution, then by the upcasters.
 */
export function eventCheckOf(catalog: SchemaCatalog, upcasters = createUpcasterChain([])): EventCheck {
  const checks = new Map<string, VersionCheck>()
  return (aggregateType, eventType, data, schemaVersion) => {
    const key = `${aggregateType}.${eventType}.${schemaVersion ?? 'latest'}`
    const check =
      checks.get(key) ??
      versionCheckOf(catalog, upcasters, versionOf(catalog, aggregateType, eventType, schemaVersion))
    checks.set(key, check)
    return check(data)
  }
}

function versionOf(
  catalog: SchemaCatalog,
  aggregateType: string,
  eventType: string,
  schemaVersion: number | undefined,
): SchemaVersion {
  const latest = catalog.latest(aggregateType, eventType)
  if (latest?.role !== 'event') {
    throw new UnknownEventTypeError(aggregateType, eventType, catalog.names(aggregateType, 'event'))
  }
  if (schemaVersion === undefined) return latest
  const versions = catalog.versions(aggregateType, eventType)
  const named = versions.find(({ version }) => version === schemaVersion)
  if (named !== undefined) return named
  throw new InvalidInputError(
    'schemaVersion',
    `${aggregateType}.${eventType} has no schema version ${schemaVersion}: it has ${versions.map(({ version }) => version).join(', ')}`,
  )
}

function versionCheckOf(
  catalog: SchemaCatalog,
  upcasters: UpcasterChain,
  given: SchemaVersion,
): VersionCheck {
  const { aggregateType, name } = given
  const latest = catalog.latest(aggregateType, name) ?? given
  const reader = catalog.line(given.fullName).at(-1) ?? given
  const [givenCodec, latestCodec] = [new RecordCodec(given), new RecordCodec(latest)]
  const read = new RecordCodec(reader).readerOf(given.type)
  const form = canonicalFormOf(given.type)
  const toLatest = (bytes: Buffer): unknown => {
    const data = upcasters.upcast(aggregateType, name, reader.version, latest.version, read(bytes))
    latestCodec.encode(0, data)
    return data
  }
  return (data) => {
    const bytes = givenCodec.encode(0, data)
    return {
      data: given === latest ? data : toLatest(bytes),
      canonical: () => JSON.stringify(form(given.type.decode(bytes, headerBytes).value)),
    }
  }
}
