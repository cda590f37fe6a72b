import type { AccessDocument } from '#access'
import { readAccessFile } from '#access-store'

import { OperationError } from '../operation-error.ts'
import { translated } from './with-access-editor.ts'

/** What a valid access file contains. */
export interface CheckedAccess {
  readonly roles: number
  readonly keys: number
  readonly certificates: number
}

/** Checks an access file as a service does. @throws OperationError `access-file-unsafe`, `access-file-invalid`, `file-failed`, `invalid-request` */
export function checkAccess(file: string): Promise<CheckedAccess> {
  return translated(async () => {
    const read = await readAccessFile(file)
    if (read === undefined) throw new OperationError('invalid-request', `there is no file ${file}`)
    return countsOf(read.document)
  })
}

const countsOf = ({ roles, keys, certificates }: AccessDocument): CheckedAccess => ({
  roles: Object.keys(roles).length,
  keys: keys.length,
  certificates: certificates.length,
})
