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

/** A value as it may stand in an error message: quoted, and cut at 80 characters. */
export function quote(value: unknown): string {
  const text = asJson(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** Undefined for what JSON does not have: undefined, functions, bigints, rings. An error message must not fail itself. */
function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
