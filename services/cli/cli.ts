import type { Environment } from '#config'

import type { ExitCode } from './exit-code.ts'

/** The result of a command, for programs and for people. */
export interface CommandReport {
  /** Plain JSON; what `--json` prints. */
  readonly document: object
  /** What a person reads, without a trailing newline. */
  readonly text: string
  /** Default 0. */
  readonly exitCode?: ExitCode
  /** Whether to print it on stderr, because stdout holds the data that the command produces. */
  readonly isAside?: boolean
}

/** What every command receives. */
export interface Cli {
  readonly env: Environment
  /** The environment without the addresses of the local stack; default: `env`. */
  readonly given?: Environment
  /** Whether a program reads the output. */
  readonly isJson: boolean
  /** Prints the result as JSON or as text. A command calls it once. */
  report(report: CommandReport): void
}
