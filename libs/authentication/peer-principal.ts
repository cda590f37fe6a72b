import { type CredentialKind, parsePrincipalName, type Principal } from '#access'

const kinds: ReadonlySet<unknown> = new Set(['key', 'jwt', 'certificate', 'peer'] satisfies CredentialKind[])
const rolesMax = 1_000
const textLengthMax = 200

/** The principal in a peer token; undefined if it is malformed. Principals of an open installation are nobody elsewhere. */
export function readPeerPrincipal(value: unknown): Principal | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, kind, roles, credentialId, expiresAtMs } = value as Readonly<
    Partial<Record<keyof Principal, unknown>>
  >
  if (!isPrincipalName(name) || !isKind(kind) || !areRoles(roles)) return undefined
  if (credentialId !== undefined && !isShortText(credentialId)) return undefined
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) return undefined
  return {
    name,
    kind,
    roles,
    ...(credentialId === undefined ? {} : { credentialId }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs: Number(expiresAtMs) }),
  }
}

function isPrincipalName(value: unknown): value is string {
  try {
    return parsePrincipalName(value, 'name') === value
  } catch {
    return false
  }
}

const isKind = (value: unknown): value is CredentialKind => kinds.has(value)

const isShortText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= textLengthMax

const areRoles = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= rolesMax && value.every(isShortText)
