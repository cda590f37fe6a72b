import type { ExitCode } from '../../exit-code.ts'
import { CommandError } from '../../failure.ts'

const exitCodes = {
  'group-at-work': 1,
  'no-topic': 1,
  'same-count': 1,
  'events-deleted': 1,
  'other-move': 1,
  'no-move': 1,
  'source-changed': 1,
  'copy-differs': 1,
  'foreign-events': 1,
  'too-late': 1,
} as const satisfies Record<string, ExitCode>

/** Why a topic is not moved to another number of partitions, or not further. */
export class MoveError extends CommandError {
  constructor(code: keyof typeof exitCodes, message: string) {
    super({ exitCode: exitCodes[code], code, message })
  }
}
