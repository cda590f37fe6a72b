/** What the caller does next: correct the request, change the state that prevents the operation, or retry later. */
export type OperationRemedy = 'correct-request' | 'change-state' | 'retry'

/** All codes of failed operations. The code is stable; programs rely on it. */
export const operationErrors = {
  'access-open': 'correct-request',
  'invalid-request': 'correct-request',
  'no-topics': 'correct-request',
  'offset-out-of-range': 'correct-request',
  'access-file-busy': 'retry',
  unavailable: 'retry',
  'access-file-invalid': 'change-state',
  'access-file-unsafe': 'change-state',
  'access-full': 'change-state',
  'checkpoint-refused': 'change-state',
  'copy-differs': 'change-state',
  damaged: 'change-state',
  'disk-full': 'change-state',
  'events-deleted': 'change-state',
  'file-failed': 'change-state',
  'folder-busy': 'change-state',
  'foreign-events': 'change-state',
  'group-at-work': 'change-state',
  'import-not-found': 'change-state',
  'key-ended': 'change-state',
  'key-valid': 'change-state',
  'log-shorter': 'change-state',
  'no-backup': 'change-state',
  'no-certificate': 'change-state',
  'no-key': 'change-state',
  'no-move': 'change-state',
  'no-role': 'change-state',
  'no-topic': 'change-state',
  'not-empty': 'change-state',
  'other-cluster': 'change-state',
  'other-move': 'change-state',
  'other-restore': 'change-state',
  'other-topic': 'change-state',
  'role-in-use': 'change-state',
  'same-count': 'change-state',
  'source-changed': 'change-state',
  'target-exists': 'change-state',
  'target-refused': 'change-state',
  'too-late': 'change-state',
  'topic-moved': 'change-state',
  'unknown-format': 'change-state',
  'unknown-topic': 'change-state',
  'unreadable-event': 'change-state',
} as const satisfies Record<string, OperationRemedy>

export type OperationErrorCode = keyof typeof operationErrors

/** Why an operation was refused or ended early. The message says what, where and what to do. */
export class OperationError extends Error {
  override readonly name = 'OperationError'
  readonly code: OperationErrorCode

  constructor(code: OperationErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }

  get remedy(): OperationRemedy {
    return operationErrors[this.code]
  }
}
