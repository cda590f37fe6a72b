import { type CertificateEntry, parseCertificateEntry } from '#access'
import type { AccessEditor } from '#access-store'
import { quote, suggestion } from '#domain'

import { OperationError } from '../operation-error.ts'

/** Lets client certificates of a common name in, or changes their principal. @throws InvalidInputError for an unknown role or a malformed name */
export async function putCertificate(
  editor: Pick<AccessEditor, 'edit'>,
  entry: CertificateEntry,
): Promise<{ readonly isNew: boolean }> {
  const value = parseCertificateEntry(entry, 'certificate')
  const name = value.commonName
  let isNew = false
  await editor.edit(({ certificates }) => {
    isNew = certificates.every(({ commonName }) => commonName !== name)
    return [{ kind: 'certificate', name, value }]
  })
  return { isNew }
}

/** All certificates, by common name. */
export async function listCertificates(
  editor: Pick<AccessEditor, 'read'>,
): Promise<readonly CertificateEntry[]> {
  const { certificates } = await editor.read()
  return certificates.toSorted((a, b) => (a.commonName < b.commonName ? -1 : 1))
}

/** Lets certificates of a common name in no longer. @throws OperationError `no-certificate` */
export async function removeCertificate(
  editor: Pick<AccessEditor, 'edit'>,
  commonName: string,
): Promise<void> {
  await editor.edit(({ certificates }) => {
    const known = certificates.map((entry) => entry.commonName)
    if (!known.includes(commonName)) {
      const hint = suggestion(commonName, known)
      throw new OperationError('no-certificate', `there is no certificate ${quote(commonName)}${hint}`)
    }
    return [{ kind: 'certificate', name: commonName, value: null }]
  })
}
