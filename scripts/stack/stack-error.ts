/** An error that the user can act on: printed without a stack trace. */
export class StackError extends Error {
  override readonly name = 'StackError'
  /** 2 for a mistake in options or variables, 1 for everything else. */
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
