import { formatPosition, type Position } from '#domain'

import type { ExitCode } from '../exit-code.ts'
import { CommandError } from '../failure.ts'

const exitCodes = {
  'unknown-topic': 1,
  'offset-out-of-range': 2,
  'unreadable-event': 1,
  'target-exists': 1,
  'target-refused': 1,
  'disk-full': 1,
  'file-failed': 1,
  'checkpoint-refused': 1,
} as const satisfies Record<string, ExitCode>

/** Why a replay was refused, or ended before its time. */
export class ReplayError extends CommandError {
  constructor(code: keyof typeof exitCodes, message: string, options: ErrorOptions = {}) {
    super({ exitCode: exitCodes[code], code, message }, options)
  }
}

/** A record that is no event, or that nobody here can decode. */
export class UnreadableError extends ReplayError {
  readonly position: Position

  constructor(position: Position, reason: string) {
    const advice = 'Mend that, or leave such records out with --skip-unreadable'
    super(
      'unreadable-event',
      `the record at ${formatPosition(position)} cannot be decoded: ${reason}. ${advice}`,
    )
    this.position = position
  }
}

/** What the system said of a file, in a sentence. What is no such error comes back as it is. */
export function fileError(doing: string, path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || error instanceof CommandError) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ReplayError('disk-full', `${doing} ${path}: the disk is full. Make room`, { cause: error })
  }
  return new ReplayError('file-failed', `${doing} ${path}: ${message}`, { cause: error })
}
