import { OperationError } from '../operation-error.ts'

/** Why a backup or a restore failed. */
export class BackupError extends OperationError {}
