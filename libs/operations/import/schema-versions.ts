import { InvalidInputError, quote } from '#domain'

/** Schema versions of lines that name none. */
export interface SchemaVersions {
  /** Of every event type that is not among the others. */
  readonly byDefault?: number
  readonly byType: ReadonlyMap<string, number>
}

export const latestVersions: SchemaVersions = { byType: new Map() }

/** @throws InvalidInputError unless it is a whole number from 1, or a text that is one. */
export function parseSchemaVersion(value: unknown): number {
  const isText = typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value)
  const version = isText ? Number(value) : value
  if (typeof version === 'number' && Number.isSafeInteger(version) && version >= 1) return version
  throw new InvalidInputError(
    'schemaVersion',
    `schemaVersion is ${quote(value)}: expected a whole number from 1`,
  )
}

/** The version of a line's data; undefined is the latest. */
export const schemaVersionOf = (
  { type, schemaVersion }: { readonly type: string; readonly schemaVersion?: number },
  { byDefault, byType }: SchemaVersions,
): number | undefined => schemaVersion ?? byType.get(type) ?? byDefault
