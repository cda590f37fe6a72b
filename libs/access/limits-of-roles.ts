import type { AccessDocument, LimitsOfRole } from './access-document.ts'

/** Names of all limits. */
export const limitNames = [
  'requestsPerSecond',
  'eventsPerSecond',
  'bytesPerSecond',
  'subscribers',
  'reads',
] as const satisfies readonly (keyof LimitsOfRole)[]

/**
 * The limits of a principal: of each the largest that one of its roles sets. A limit that none of them sets is absent. Unknown
 * roles set none; those of included roles do not count.
 */
export function limitsOfRoles(ownRoles: AccessDocument['roles'], roles: readonly string[]): LimitsOfRole {
  const largest: { -readonly [Name in keyof LimitsOfRole]: LimitsOfRole[Name] } = {}
  for (const name of roles) {
    const limits = Object.hasOwn(ownRoles, name) ? ownRoles[name]?.limits : undefined
    if (limits === undefined) continue
    for (const limit of limitNames) {
      const value = limits[limit]
      if (value !== undefined) largest[limit] = Math.max(value, largest[limit] ?? 0)
    }
  }
  return largest
}
