import { builtInRoles, type Role } from '#access'
import { quote, suggestion } from '#domain'

type Roles = ReadonlyMap<string, Role>

/** Whether a role is built in or one of these. */
export const isRole = (name: string, roles: Roles): boolean =>
  roles.has(name) || Object.hasOwn(builtInRoles, name)

/** What is wrong with names of roles; undefined if all exist. */
export function unknownRole(names: readonly string[], roles: Roles): string | undefined {
  const unknown = names.find((name) => !isRole(name, roles))
  if (unknown === undefined) return undefined
  const known = [...Object.keys(builtInRoles), ...roles.keys()]
  return `there is no role ${quote(unknown)}${suggestion(unknown, known)}`
}

/** How a role would include itself, if it were among these; undefined if it would not. */
export function cycleThrough(name: string, role: Role, roles: Roles): string | undefined {
  const reached = new Set(role.includes)
  // A set yields what is added while it is iterated.
  for (const each of reached) {
    if (each === name) return `the role includes itself, through ${[...(role.includes ?? [])].join(' or ')}`
    for (const next of roles.get(each)?.includes ?? []) reached.add(next)
  }
  return undefined
}
