/** The domain rejected a command: a rule is broken, and nothing is appended. `code` is for programs, the message for people. */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/**
 * Rejects a command: `refuse('order-already-shipped', 'order 42 was shipped on 2026-01-05', { shippedAt })`.
 * @param code kebab-case and stable, because callers branch on it.
 * @throws DomainError always.
 */
export function refuse(
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): never {
  throw new DomainError(code, message, details)
}
