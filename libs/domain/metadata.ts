import { InvalidInputError, quote } from './invalid-input.ts'
import { isJsonObject, memberPath } from './json-value.ts'
import { metadataFields, metadataTable } from './metadata-table.ts'

/** The value of a caller's own key. */
export type MetadataValue = string | number | boolean

/**
 * The fields of {@link metadataTable}.
 * @public
 */
export type NamedMetadata = { readonly [Field in keyof typeof metadataTable]?: string }

/**
 * The origin of an event: the named fields, and the caller's own keys. All are optional. Annals stores them in record headers,
 * does not interpret them and returns them unchanged. {@link parseMetadata} lists the rules.
 */
export interface EventMetadata extends NamedMetadata {
  readonly [ownKey: string]: MetadataValue | undefined
}

/** Maximum number of own keys in the metadata of one event. */
export const ownMetadataKeysMax = 64

/** Maximum size of the own keys with their values, as one JSON object in UTF-8. */
export const ownMetadataBytesMax = 8 * 1024

const ownKeyPattern = /^[A-Za-z][\w.-]{0,63}$/

/** Control characters (C0, DEL, C1) can forge log lines, headers and terminal output. UTF-8 cannot encode a lone surrogate. */
const notText = /[\p{Cc}\p{Cs}]/u

/**
 * Checks the metadata of a new event and returns it. Metadata in the log is read without this check.
 * Fields of {@link metadataTable} are text. Own keys are a letter followed by letters, digits, `_`, `.` and `-`, at most 64
 * characters. Their values are strings, finite numbers and booleans, in at most 64 keys and 8 KiB of JSON. Text must not contain
 * control characters or lone surrogates. Members with the value undefined count as absent, and -0 as 0.
 * @param path path of the metadata, e.g. `events[3].metadata`
 * @throws InvalidInputError with the path of the first member that breaks a rule, or of the metadata when its own keys exceed a bound.
 */
export function parseMetadata(metadata: unknown, path = 'metadata'): EventMetadata {
  if (!isMetadata(metadata)) {
    throw new InvalidInputError(path, `${path} is ${quote(metadata)}: expected an object`)
  }
  let ownKeys = 0
  for (const [name, value] of Object.entries(metadata)) {
    if (value === undefined) continue
    if (isField(name)) checkField(path + memberPath(name), value)
    else {
      checkOwnKey(name, path)
      checkOwnValue(path + memberPath(name), value)
      ownKeys++
    }
  }
  if (ownKeys > 0) checkOwnBounds(metadata, ownKeys, path)
  return metadata
}

/**
 * Writes the caller's own keys as one JSON object.
 * @returns undefined when there are none
 */
export function ownMetadataJson(metadata: EventMetadata): string | undefined {
  const names = Object.keys(metadata).filter((name) => !isField(name) && metadata[name] !== undefined)
  if (names.length === 0) return undefined
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, metadata[name]])))
}

/**
 * Parses the result of {@link ownMetadataJson}. A key can have become a named field since it was written: such a member is
 * kept as text, and dropped otherwise.
 * @param path path of the text, for the error
 * @throws InvalidInputError unless the text is a JSON object of strings, numbers and booleans.
 */
export function parseOwnMetadataJson(text: string, path: string): Readonly<Record<string, MetadataValue>> {
  const value = jsonOf(text)
  const members = isJsonObject(value) ? Object.entries(value) : undefined
  if (members?.every(isOwnMember) === true) return Object.fromEntries(members.filter(fitsTable))
  throw new InvalidInputError(path, `${path} is ${quote(text)}: expected a JSON object of scalar values`)
}

const isOwnMember = (member: readonly [string, unknown]): member is [string, MetadataValue] =>
  isOwnValue(member[1])

const fitsTable = ([name, value]: readonly [string, MetadataValue]): boolean =>
  !isField(name) || typeof value === 'string'

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
    throw new InvalidInputError(path, `${path} is ${quote(value)}: expected text`)
  checkText(path, value)
}

/** By lower-case name: people and case-insensitive tools would confuse `userid` with `userId`. */
const fieldsByLowerCase = new Map(metadataFields.map((name) => [name.toLowerCase(), name]))

function checkOwnKey(name: string, path: string): void {
  if (!ownKeyPattern.test(name) || name in Object.prototype) {
    const place = path + (ownKeyPattern.test(name) ? memberPath(name) : `[${quote(name)}]`)
    throw new InvalidInputError(
      place,
      `${place} is not a metadata key: expected a letter, then letters, digits, "_", "." and "-", at most 64 characters, and not a name that every object has`,
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
      `${path} is ${quote(value)}: expected text, a finite number, true or false`,
    )
  }
  if (typeof value === 'string') checkText(path, value)
}

const isOwnValue = (value: unknown): value is MetadataValue =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)

function checkOwnBounds(metadata: EventMetadata, count: number, path: string): void {
  if (count > ownMetadataKeysMax) {
    throw new InvalidInputError(path, `${path} has ${count} own keys: expected at most ${ownMetadataKeysMax}`)
  }
  const json = ownMetadataJson(metadata) ?? ''
  const bytes = json.length > ownMetadataBytesMax ? json.length : utf8.encode(json).length
  if (bytes <= ownMetadataBytesMax) return
  throw new InvalidInputError(
    path,
    `the own keys of ${path} take ${bytes} bytes or more as JSON: expected at most ${ownMetadataBytesMax}`,
  )
}

const utf8 = new TextEncoder()

function checkText(path: string, value: string): void {
  const wrong = notText.exec(value)?.[0]
  if (wrong === undefined) return
  const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw new InvalidInputError(
    path,
    `${path} ${quote(value)} contains U+${code}: expected text without control characters and lone surrogates`,
  )
}
