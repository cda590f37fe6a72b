import { OperationError } from '../operation-error.ts'

/** Why a backup was not made, or not restored. */
export class BackupError extends OperationError {}
