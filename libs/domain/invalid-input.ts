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

/** Characters that act on the terminal or the order of the text around them, or that nobody sees. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/** A value as it may stand in an error message: quoted, cut at 80 characters, what cannot be seen as `\u` escapes. */
export function quote(value: unknown): string {
  const text = asJson(value) ?? String(value)
  return (text.length > 80 ? `${text.slice(0, 79)}…` : text).replace(unprintable, escaped)
}

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16).padStart(4, '0')
    return `\\u${unit}`
  }).join('')

/** Undefined for what JSON does not have: undefined, functions, bigints, rings. An error message must not fail itself. */
function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
