import { quote } from '#domain'

/** A JSON value that does not fit its schema. Each level on the way out puts its own segment before the path. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
  /** From the value's root: `.items[2].price`; empty for the root itself. */
  path = ''

  /** Whether it is about a field that the schema does not have. */
  readonly isUnknownField: boolean

  constructor(message: string, isUnknownField = false) {
    super(message)
    this.isUnknownField = isUnknownField
  }

  static of(expected: string, actual: unknown): Mismatch {
    return new Mismatch(`expected ${expected}, got ${quote(actual)}`)
  }
}

/** The error as the level above throws it on. */
export function within(segment: string, error: unknown): unknown {
  if (error instanceof Mismatch) error.path = segment + error.path
  return error
}
