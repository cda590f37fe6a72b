import { formatPosition, type Position } from '#domain'

import { OperationError } from '../operation-error.ts'

/** A record that is not an event, or cannot be decoded. */
export class UnreadableError extends OperationError {
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
