/**
 * Invalid input: a malformed id, a negative version, a field of the wrong shape.
 * The message states what is wrong and what is expected. `path` names the field (`data.amount`, `streamId`).
 */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError'
  readonly code = 'invalid-input'
  readonly path: string

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.path = path
  }
}

const quotedLengthMax = 80
/** More than 80 characters can show. */
const quotedPartsMax = 2 * quotedLengthMax

/** Characters that control the terminal, change the direction of the text around them, or are invisible. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/**
 * Formats a value for an error message: quoted, cut at 80 characters, with invisible characters as `\u` escapes. The cost does not
 * grow with the size of the value, because callers control that size.
 */
export function quote(value: unknown): string {
  const text = asJson(value) ?? asText(value)
  const short = text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax - 1)}…` : text
  return short.replace(unprintable, escaped)
}

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16).padStart(4, '0')
    return `\\u${unit}`
  }).join('')

/** Undefined for values that JSON cannot represent: undefined, functions, bigints, circular or deeply nested values. Never throws. */
function asJson(value: unknown): string | undefined {
  let parts = 0
  const truncate = (_: string, part: unknown): unknown =>
    ++parts > quotedPartsMax ? undefined : firstOf(part)
  try {
    return JSON.stringify(value, truncate)
  } catch {
    return undefined
  }
}

/** The start of a part, as much as the message can show. */
function firstOf(part: unknown): unknown {
  if (typeof part === 'string') return part.slice(0, quotedPartsMax)
  if (Array.isArray(part)) return part.slice(0, quotedPartsMax)
  return part
}

/** For objects only the kind, because their own `toString` may do anything. */
const asText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value)
