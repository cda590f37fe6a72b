import { OperationError } from './operation-error.ts'

/** The error for a file that cannot be written: the command must run again. */
export const writeFailure = (file: string, error: unknown): OperationError =>
  translated(`${file} cannot be written`, error as NodeJS.ErrnoException, ' and run the command again')

/**
 * Translates an error of the file system. Other errors are returned unchanged. The caller adds how to go on.
 * @param doing what failed: `opening`.
 */
export function fileError(doing: string, path: string, error: unknown): unknown {
  const failure = error as NodeJS.ErrnoException
  if (failure.code === undefined || error instanceof OperationError) return error
  return translated(`${doing} ${path}`, failure, '')
}

function translated(what: string, cause: NodeJS.ErrnoException, next: string): OperationError {
  const isFull = cause.code === 'ENOSPC' || cause.code === 'EDQUOT'
  const reason = isFull ? `the disk is full. Free some space${next}` : cause.message
  return new OperationError(isFull ? 'disk-full' : 'file-failed', `${what}: ${reason}`, { cause })
}
