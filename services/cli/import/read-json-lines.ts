import { type EventMetadata, InvalidInputError, parseStreamId, quote } from '#domain'

import { parseJson } from '../parse-json.ts'
import type { Draft } from './imported-line.ts'

const metadataNames = ['correlationId', 'causationId', 'userId', 'sessionId', 'source', 'traceparent']
/** The last three stand in exports, and are what the log made of the event: they are not taken. */
const names = ['streamId', 'type', 'data', 'id', 'metadata', 'version', 'position', 'timestamp']

type Json = Readonly<Record<string, unknown>>

/**
 * Reads an event as an export writes it: `{"streamId", "type", "data", "id"?, "metadata"?}`.
 * @throws InvalidInputError that says what was expected.
 */
export function draftOfJson(text: string): Draft {
  const json = objectOf(text)
  const unknown = Object.keys(json).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new InvalidInputError(unknown, `${quote(unknown)} is unknown: expected only ${names.join(', ')}`)
  }
  const { data, id, metadata } = json
  const key = id === undefined ? undefined : textOf(json, 'id')
  return {
    streamId: parseStreamId(textOf(json, 'streamId')),
    type: textOf(json, 'type'),
    data,
    ...(key !== undefined && { key }),
    ...(metadata !== undefined && { metadata: metadataOf(metadata) }),
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
  throw new InvalidInputError('line', `${quote(json)} is no event: expected {"streamId", "type", "data", …}`)
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function textOf(json: Json, name: string): string {
  const value = json[name]
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidInputError(name, `${name} is ${quote(value)}: expected a text`)
}

function metadataOf(value: unknown): EventMetadata {
  if (!isObject(value))
    throw new InvalidInputError('metadata', `metadata is ${quote(value)}: expected an object`)
  for (const [name, part] of Object.entries(value)) {
    if (!metadataNames.includes(name) || typeof part !== 'string') {
      throw new InvalidInputError(
        `metadata.${name}`,
        `metadata.${name} is ${quote(part)}: expected a text, and only ${metadataNames.join(', ')}`,
      )
    }
  }
  return value
}
