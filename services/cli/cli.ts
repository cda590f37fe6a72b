import type { Environment } from '#config'

import type { ExitCode } from './exit-code.ts'

/** What a command found: for programs and for people. */
export interface Report {
  /** Plain JSON; what `--json` prints. */
  readonly document: object
  /** What a person reads, without a last newline. */
  readonly text: string
  /** Default 0. */
  readonly exitCode?: ExitCode
  /** Whether to print it on stderr, because stdout has what the command was run for. */
  readonly isAside?: boolean
}

/** What every command is given. */
export interface Cli {
  readonly env: Environment
  /** Whether a program reads what is printed. */
  readonly isJson: boolean
  /** Prints what was found, as it was asked for. Once. */
  report(report: Report): void
}
