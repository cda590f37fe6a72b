import type { Config } from '#config'

import type { DoctorFinding } from '../finding.ts'
import { checkAccess } from './check-access.ts'
import { checkCertificates } from './check-certificates.ts'
import { checkLogins } from './check-logins.ts'
import { checkSecretFiles } from './check-secret-files.ts'

/** Checks who gets in: access control, TLS, files with secrets, certificates that expire, and servers without a login. */
export async function checkProtection(config: Config): Promise<readonly DoctorFinding[]> {
  return [
    ...checkAccess(config),
    ...checkSecretFiles(config),
    ...(await checkLogins(config)),
    ...(await checkCertificates(config)),
  ]
}
