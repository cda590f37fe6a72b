import { OperationError } from './operation-error.ts'

/** The error for a file that cannot be written. */
export function writeFailure(file: string, error: unknown): OperationError {
  const { code, message } = error as NodeJS.ErrnoException
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const told = `${file} cannot be written: ${isFull ? 'the disk is full. Make room, and run the same command again' : message}`
  return new OperationError(isFull ? 'disk-full' : 'file-failed', told, { cause: error })
}
