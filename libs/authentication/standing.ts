import type { CertificateEntry, Principal } from '#access'

import type { AccessIndex } from './access-index.ts'

/** What an access document says about a credential: that it counts and for which roles, or why it does not. */
export type Standing =
  { readonly roles: readonly string[]; readonly expiresAtMs: number | undefined } | { readonly ended: string }

/** The credential of a principal in an access document. Tokens and peers are not listed there: their own roles hold. */
export function standingOf(index: AccessIndex, principal: Principal, commonName?: string): Standing {
  switch (principal.kind) {
    case 'key':
      return standingOfKey(index, principal)
    case 'certificate':
      return standingOfCertificate(index, principal, commonName)
    case 'jwt':
    case 'peer':
      return { roles: principal.roles, expiresAtMs: principal.expiresAtMs }
    case 'open':
      return { ended: 'access control is on' }
  }
}

function standingOfKey(index: AccessIndex, { name, credentialId = '' }: Principal): Standing {
  const key = index.key(credentialId)
  if (key?.entry.name !== name) return { ended: 'the API key was removed' }
  if (key.entry.revokedAt !== undefined) return { ended: 'the API key was revoked' }
  return { roles: key.entry.roles, expiresAtMs: key.expiresAtMs }
}

function standingOfCertificate(index: AccessIndex, principal: Principal, commonName?: string): Standing {
  const entry = commonName === undefined ? entryOfForwarded(index, principal) : index.certificate(commonName)
  if (entry?.name !== principal.name) return { ended: 'the certificate is no longer listed' }
  return { roles: entry.roles, expiresAtMs: principal.expiresAtMs }
}

/** A forwarded principal does not carry the common name. If several certificates have its name, the one with its roles is meant. */
function entryOfForwarded(index: AccessIndex, { name, roles }: Principal): CertificateEntry | undefined {
  const entries = index.certificatesOf(name)
  return entries.length === 1 ? entries[0] : entries.find((entry) => isSameSet(entry.roles, roles))
}

const isSameSet = (some: readonly string[], others: readonly string[]): boolean =>
  some.every((one) => others.includes(one)) && others.every((one) => some.includes(one))
