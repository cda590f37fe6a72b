import type { SchemaVersions } from '#operations'

import { UsageError } from './failure.ts'

/** The default of the option: the latest version of each type. */
export const schemaVersionsDefault: SchemaVersions = { byType: new Map() }

/** Parses `--schema-version 1` or `--schema-version OrderPlaced=1`, which may be repeated. @throws UsageError */
export function schemaVersionOption(given: string, before: SchemaVersions): SchemaVersions {
  const match = /^(?:([^=]+)=)?([1-9]\d{0,8})$/.exec(given)
  if (match === null) {
    throw new UsageError(`--schema-version ${given}: expected a whole number from 1, or e.g. OrderPlaced=1`)
  }
  const [, type, version] = match
  return type === undefined
    ? { ...before, byDefault: Number(version) }
    : { ...before, byType: new Map([...before.byType, [type, Number(version)]]) }
}
