import { quote } from '#domain'

/** A JSON value that does not fit its schema. Each level prepends its own segment to the path. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
  /** From the root of the value: `.items[2].price`; empty for the root itself. */
  path = ''

  /** Whether the value has a field that the schema lacks. */
  readonly isUnknownField: boolean

  constructor(message: string, isUnknownField = false) {
    super(message)
    this.isUnknownField = isUnknownField
  }

  static of(expected: string, actual: unknown): Mismatch {
    return new Mismatch(`expected ${expected}, got ${quote(actual)}`)
  }
}

/** The error with the segment of the level above. */
export function within(segment: string, error: unknown): unknown {
  if (error instanceof Mismatch) error.path = segment + error.path
  return error
}
