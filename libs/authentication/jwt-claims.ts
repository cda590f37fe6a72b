import { parsePrincipalName, type Principal } from '#access'

import { unauthenticated } from './refusals.ts'

const rolesMax = 200
const roleLengthMax = 200

/** Names of services of the installation begin with it. No issuer gives such a name. */
const reservedPrefix = 'annals:'

type Claims = Readonly<Record<string, unknown>>

interface ClaimNames {
  readonly nameClaim: string
  readonly rolesClaim: string
  readonly clockToleranceMs: number
}

/** The principal that verified claims name. @throws EventStoreError `unauthenticated` when they name none. */
export function principalOfClaims(claims: Claims, names: ClaimNames): Principal {
  return {
    name: nameIn(claims, names.nameClaim),
    kind: 'jwt',
    roles: rolesIn(claims, names.rolesClaim),
    expiresAtMs: expiryIn(claims, names.clockToleranceMs),
  }
}

function nameIn(claims: Claims, claim: string): string {
  const name = claimAt(claims, claim)
  try {
    const parsed = parsePrincipalName(name, claim)
    if (!parsed.startsWith(reservedPrefix)) return parsed
  } catch {
    // Below, without the value: a token says more of its sender than an error should.
  }
  throw unauthenticated(
    `the token names no principal: its claim ${claim} must have 1 to 200 printable characters without white space, not starting with ${reservedPrefix}`,
  )
}

function rolesIn(claims: Claims, claim: string): readonly string[] {
  const value = claimAt(claims, claim) ?? []
  const roles: unknown = typeof value === 'string' ? value.split(' ').filter((role) => role !== '') : value
  if (!Array.isArray(roles) || roles.length > rolesMax || !roles.every(isRoleText))
    throw unauthenticated(
      `the roles of the token are malformed: its claim ${claim} must be an array of up to ${rolesMax} names, or text separated by spaces`,
    )
  return [...new Set(roles)]
}

const isRoleText = (role: unknown): role is string =>
  typeof role === 'string' && role.length > 0 && role.length <= roleLengthMax

/** A token is accepted until its end plus the tolerance: until then its streams go on, too. */
function expiryIn(claims: Claims, clockToleranceMs: number): number {
  const ms = Number(claims['exp']) * 1000 + clockToleranceMs
  if (!Number.isSafeInteger(Math.floor(ms))) throw unauthenticated('the token has no valid expiry (exp)')
  return ms
}

/** The claim of exactly this name, like `https://example.com/roles`; otherwise dots lead into objects, like `realm_access.roles`. */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  return path.split('.').reduce<unknown>((value, part) => memberOf(value, part), claims)
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Claims)[name]
    : undefined
