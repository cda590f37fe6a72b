import { OperationError } from '../../operation-error.ts'

/** Why a topic is not moved to another number of partitions, or why the move stopped. */
export class MoveError extends OperationError {}
