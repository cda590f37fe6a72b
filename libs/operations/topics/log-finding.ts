import type { SettingFinding } from '#kafka'

/** Something in a log that needs an operator, or soon will. */
export interface LogFinding extends SettingFinding {
  /** `fail`: something cannot be served, or could not after a rebuild. `warn`: it works, but should not stay so. */
  readonly status: 'warn' | 'fail'
  readonly remedy: string
}
