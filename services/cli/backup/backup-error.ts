import type { ExitCode } from '../exit-code.ts'
import { CommandError } from '../failure.ts'

const exitCodes = {
  damaged: 1,
  'unknown-format': 1,
  'no-backup': 1,
  'folder-busy': 1,
  'folder-failed': 1,
  'no-topics': 2,
  'other-cluster': 1,
  'other-topic': 1,
  'events-deleted': 1,
  'log-shorter': 1,
  'topic-moved': 1,
  'not-empty': 1,
  'other-restore': 1,
  'copy-differs': 1,
} as const satisfies Record<string, ExitCode>

/** Why a backup was not made, or not restored. */
export class BackupError extends CommandError {
  constructor(code: keyof typeof exitCodes, message: string, options: ErrorOptions = {}) {
    super({ exitCode: exitCodes[code], code, message }, options)
  }
}
