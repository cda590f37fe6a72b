import { InvalidInputError, parseMetadata, parseStreamId, quote } from '#domain'
import { parseJson } from '#event-store'

import type { Draft } from './imported-line.ts'
import { parseSchemaVersion } from './schema-versions.ts'

const ownNames = ['streamId', 'type', 'data', 'id', 'metadata', 'schemaVersion']
/** Exports contain these. The log assigned them, so an import ignores them. */
const logNames = ['version', 'position', 'timestamp']
const names = [...ownNames, ...logNames]

type Json = Readonly<Record<string, unknown>>

/**
 * Parses one line, in the format of an export: `{"streamId", "type", "data", "id"?, "metadata"?, "schemaVersion"?}`.
 * @throws InvalidInputError that names the wrong field and what was expected.
 */
export function draftOfJson(text: string): Draft {
  const json = objectOf(text)
  const unknown = Object.keys(json).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new InvalidInputError(unknown, `${quote(unknown)} is unknown: expected only ${names.join(', ')}`)
  }
  const { data, id, metadata, schemaVersion } = json
  const key = id === undefined ? undefined : textOf(json, 'id')
  return {
    streamId: parseStreamId(textOf(json, 'streamId')),
    type: textOf(json, 'type'),
    data,
    ...(key !== undefined && { key }),
    ...(metadata !== undefined && { metadata: parseMetadata(metadata) }),
    ...(schemaVersion !== undefined && { schemaVersion: parseSchemaVersion(schemaVersion) }),
  }
}

function objectOf(text: string): Json {
  let json: unknown
  try {
    json = parseJson(text)
  } catch (error) {
    throw new InvalidInputError(
      'line',
      `the line ${(error as Error).message}: expected an event in one line`,
      {
        cause: error,
      },
    )
  }
  if (isObject(json)) return json
  throw new InvalidInputError(
    'line',
    `${quote(json)} is not an event: expected {"streamId", "type", "data", …}`,
  )
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function textOf(json: Json, name: string): string {
  const value = json[name]
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidInputError(name, `${name} is ${quote(value)}: expected a non-empty string`)
}
