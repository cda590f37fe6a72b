import { OperationError } from './operation-error.ts'

/** The error for a file that cannot be written. */
export function writeFailure(file: string, error: unknown): OperationError {
  const { code, message } = error as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const reason = isFull ? 'the disk is full. Free some space and run the same command again' : message
  return new OperationError(isFull ? 'disk-full' : 'file-failed', `${file} cannot be written: ${reason}`, {
    cause: error,
  })
}
