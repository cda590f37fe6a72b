import { formatPosition, type Position } from '#domain'

import { OperationError } from '../operation-error.ts'

/** Why a replay was rejected or ended early. */
export class ReplayError extends OperationError {}

/** A record that is not an event, or cannot be decoded. */
export class UnreadableError extends ReplayError {
  readonly position: Position

  constructor(position: Position, reason: string) {
    const advice = 'Fix the reason, or skip such records with --skip-unreadable'
    super(
      'unreadable-event',
      `the record at ${formatPosition(position)} cannot be decoded: ${reason}. ${advice}`,
    )
    this.position = position
  }
}

/** Turns an error of the file system into a ReplayError. Other errors are returned unchanged. */
export function fileError(doing: string, path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || error instanceof OperationError) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ReplayError('disk-full', `${doing} ${path}: the disk is full. Free some space`, {
      cause: error,
    })
  }
  return new ReplayError('file-failed', `${doing} ${path}: ${message}`, { cause: error })
}
