import { InvalidInputError, quote } from '#domain'

/** The schema versions of lines that have none. */
export interface SchemaVersions {
  /** The version of event types that are not in `byType`; absent: the latest. */
  readonly byDefault?: number
  readonly byType: ReadonlyMap<string, number>
}

export const latestVersions: SchemaVersions = { byType: new Map() }

/** @throws InvalidInputError unless the value is a whole number from 1, as a number or as text. */
export function parseSchemaVersion(value: unknown): number {
  const isText = typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value)
  const version = isText ? Number(value) : value
  if (typeof version === 'number' && Number.isSafeInteger(version) && version >= 1) return version
  throw new InvalidInputError(
    'schemaVersion',
    `schemaVersion is ${quote(value)}: expected a whole number from 1`,
  )
}

/** The schema version of the data of a line; undefined: the latest. */
export const lineSchemaVersion = (
  { type, schemaVersion }: { readonly type: string; readonly schemaVersion?: number },
  { byDefault, byType }: SchemaVersions,
): number | undefined => schemaVersion ?? byType.get(type) ?? byDefault
