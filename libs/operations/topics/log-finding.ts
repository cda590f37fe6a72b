import type { Finding } from '#kafka'

/** Something in a log that needs an operator now or soon. */
export interface LogFinding extends Finding {
  /** `fail`: something cannot be served, or could not be served after a rebuild. `warn`: everything works, but should be fixed. */
  readonly status: 'warn' | 'fail'
  readonly remedy: string
}
