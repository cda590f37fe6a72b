import type { EventMetadata } from './event.ts'
import { InvalidInputError, quote } from './invalid-input.ts'
import { isJsonObject, memberPath } from './json-value.ts'

/** All that metadata may hold. */
export const metadataFields = [
  'correlationId',
  'causationId',
  'userId',
  'sessionId',
  'source',
  'traceparent',
] as const satisfies readonly (keyof EventMetadata)[]

const isField = (name: string): boolean => (metadataFields as readonly string[]).includes(name)

/** Control characters (C0, DEL, C1) forge log lines, headers and terminals; a lone surrogate has no UTF-8. */
const notText = /[\p{Cc}\p{Cs}]/u

/**
 * Checks metadata that is to be written, and returns it. What is in the log already is read without this check.
 * @param path of the metadata, e.g. `events[3].metadata`
 * @throws InvalidInputError with the path of the field that is unknown, no text, or holds a control character.
 */
export function parseMetadata(metadata: unknown, path = 'metadata'): EventMetadata {
  if (!isJsonObject(metadata)) {
    throw new InvalidInputError(path, `${path} is ${quote(metadata)}: expected an object`)
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined && isField(name)) continue
    if (!isField(name) || typeof value !== 'string') throw noField(path + memberPath(name), value)
    const wrong = notText.exec(value)?.[0]
    if (wrong !== undefined) throw noText(`${path}.${name}`, value, wrong)
  }
  return metadata
}

const noField = (path: string, value: unknown): InvalidInputError =>
  new InvalidInputError(
    path,
    `${path} is ${quote(value)}: expected a text, and only ${metadataFields.join(', ')}`,
  )

function noText(path: string, value: string, wrong: string): InvalidInputError {
  const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return new InvalidInputError(
    path,
    `${path} ${quote(value)} holds U+${code}: expected text without control characters and lone surrogates`,
  )
}
