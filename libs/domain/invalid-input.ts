/**
 * Input that cannot be accepted as it is: a malformed id, a version below zero, a field of the wrong shape.
 * The message says what was wrong and what would be right; `path` names the place (`data.amount`, `streamId`).
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
/** More than can be seen of 80 characters. */
const quotedPartsMax = 2 * quotedLengthMax

/** Characters that act on the terminal or the order of the text around them, or that nobody sees. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/**
 * A value as it may stand in an error message: quoted, cut at 80 characters, what cannot be seen as `\u` escapes. Takes no longer for a
 * large value than for a small one: whoever sends a value decides how large it is.
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

/** Undefined for what JSON does not have: undefined, functions, bigints, rings, values nested too deep. An error message must not fail itself. */
function asJson(value: unknown): string | undefined {
  let parts = 0
  const beginning = (_: string, part: unknown): unknown =>
    ++parts > quotedPartsMax ? undefined : firstOf(part)
  try {
    return JSON.stringify(value, beginning)
  } catch {
    return undefined
  }
}

/** As much of a part as can be seen. */
function firstOf(part: unknown): unknown {
  if (typeof part === 'string') return part.slice(0, quotedPartsMax)
  if (Array.isArray(part)) return part.slice(0, quotedPartsMax)
  return part
}

/** Of objects only what they are: their own `toString` may be anything. */
const asText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value)
