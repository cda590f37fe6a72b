import { InvalidInputError, quote } from './invalid-input.ts'
import { isJsonObject, memberPath } from './json-value.ts'
import { metadataFields, metadataTable } from './metadata-table.ts'

/** A value under a caller's own key. */
export type MetadataValue = string | number | boolean

/** The fields of {@link metadataTable}. */
export type NamedMetadata = { readonly [Field in keyof typeof metadataTable]?: string }

/**
 * Who and what an event came from: the fields that Annals names, and own keys of the caller. All of it is optional, travels in
 * record headers, is never interpreted and comes back unchanged. See {@link parseMetadata} for what may be written.
 */
export interface EventMetadata extends NamedMetadata {
  readonly [ownKey: string]: MetadataValue | undefined
}

/** Own keys that the metadata of one event may have. */
export const ownMetadataKeysMax = 64

/** Bytes that they may take with their values, as one JSON object in UTF-8. */
export const ownMetadataBytesMax = 8 * 1024

const ownKeyPattern = /^[A-Za-z][\w.-]{0,63}$/

/** Control characters (C0, DEL, C1) forge log lines, headers and terminals; a lone surrogate has no UTF-8. */
const notText = /[\p{Cc}\p{Cs}]/u

/**
 * Checks metadata that is to be written, and returns it. What is in the log already is read without this check.
 * Fields of {@link metadataTable} are text. Own keys have a letter first, then letters, digits, `_`, `.` and `-`, 64 in all; their
 * values are texts, finite numbers and booleans, in at most 64 keys and 8 KiB of JSON. Text has no control characters and no lone
 * surrogates. A member that is undefined counts as left out, and -0 as 0.
 * @param path of the metadata, e.g. `events[3].metadata`
 * @throws InvalidInputError with the path of the first member that breaks a rule, or of the metadata where it has too many own keys.
 */
export function parseMetadata(metadata: unknown, path = 'metadata'): EventMetadata {
  if (!isMetadata(metadata)) {
    throw new InvalidInputError(path, `${path} is ${quote(metadata)}: expected an object`)
  }
  let hasOwnKeys = false
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined) continue
    if (isField(name)) checkField(path + memberPath(name), value)
    else {
      checkOwnKey(name, path)
      checkOwnValue(path + memberPath(name), value)
      hasOwnKeys = true
    }
  }
  if (hasOwnKeys) checkOwnBounds(metadata, path)
  return metadata
}

/**
 * The caller's own keys as one JSON object.
 * @returns undefined where there are none
 */
export function ownMetadataJson(metadata: EventMetadata): string | undefined {
  const names = Object.keys(metadata).filter((name) => !isField(name) && metadata[name] !== undefined)
  if (names.length === 0) return undefined
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, metadata[name]])))
}

/**
 * Reads what {@link ownMetadataJson} wrote.
 * @param path of the text, for the error
 * @throws InvalidInputError where the text is not a JSON object of texts, numbers and booleans.
 */
export function parseOwnMetadataJson(text: string, path: string): Readonly<Record<string, MetadataValue>> {
  const value = jsonOf(text)
  if (isJsonObject(value) && Object.values(value).every(isOwnValue)) {
    return value as Readonly<Record<string, MetadataValue>>
  }
  throw new InvalidInputError(path, `${path} is ${quote(text)}: expected a JSON object of scalar values`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isMetadata = (value: unknown): value is EventMetadata => isJsonObject(value)

const isField = (name: string): boolean => Object.hasOwn(metadataTable, name)

function checkField(path: string, value: unknown): void {
  if (typeof value !== 'string')
    throw new InvalidInputError(path, `${path} is ${quote(value)}: expected a text`)
  checkText(path, value)
}

/** By its lower case: `userid` beside `userId` would be read as the same field by people and by case-insensitive tools. */
const fieldsByLowerCase = new Map(metadataFields.map((name) => [name.toLowerCase(), name]))

function checkOwnKey(name: string, path: string): void {
  if (!ownKeyPattern.test(name) || name in Object.prototype) {
    const place = path + (ownKeyPattern.test(name) ? memberPath(name) : `[${quote(name)}]`)
    throw new InvalidInputError(
      place,
      `${place} is not a metadata key: expected a letter, then letters, digits, "_", "." and "-", at most 64 in all, and no name that every object has`,
    )
  }
  const field = fieldsByLowerCase.get(name.toLowerCase())
  if (field === undefined) return
  throw new InvalidInputError(
    path + memberPath(name),
    `${path}${memberPath(name)}: expected the name ${field}`,
  )
}

function checkOwnValue(path: string, value: unknown): void {
  if (!isOwnValue(value)) {
    throw new InvalidInputError(
      path,
      `${path} is ${quote(value)}: expected a text, a finite number, true or false`,
    )
  }
  if (typeof value === 'string') checkText(path, value)
}

const isOwnValue = (value: unknown): value is MetadataValue =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)

function checkOwnBounds(metadata: EventMetadata, path: string): void {
  const json = ownMetadataJson(metadata) ?? ''
  const bytes = json.length > ownMetadataBytesMax ? json.length : utf8.encode(json).length
  const count = Object.keys(metadata).filter((name) => !isField(name) && metadata[name] !== undefined).length
  if (count > ownMetadataKeysMax) {
    throw new InvalidInputError(
      path,
      `${path} has ${count} keys of its own: expected at most ${ownMetadataKeysMax}`,
    )
  }
  if (bytes <= ownMetadataBytesMax) return
  throw new InvalidInputError(
    path,
    `${path} has own keys of ${bytes} bytes or more as JSON: expected at most ${ownMetadataBytesMax}`,
  )
}

const utf8 = new TextEncoder()

function checkText(path: string, value: string): void {
  const wrong = notText.exec(value)?.[0]
  if (wrong === undefined) return
  const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw new InvalidInputError(
    path,
    `${path} ${quote(value)} holds U+${code}: expected text without control characters and lone surrogates`,
  )
}
