/**
 * What the caller does next.
 * - `file-unsafe`: other users can read or write the access file. Change its mode.
 * - `file-invalid`: the content of the file is not an access document. Correct it.
 * - `file-failed`: the file cannot be read or written.
 * - `file-busy`: another process is changing the file. Try again.
 * - `role-in-use`: the role cannot be removed, because others have it.
 * - `full`: the store holds as many entries as it can.
 */
export type AccessStoreErrorCode =
  'file-unsafe' | 'file-invalid' | 'file-failed' | 'file-busy' | 'role-in-use' | 'full'

/** Why access cannot be read or changed. The message says what, where and what to do. */
export class AccessStoreError extends Error {
  override readonly name = 'AccessStoreError'
  readonly code: AccessStoreErrorCode

  constructor(code: AccessStoreErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
