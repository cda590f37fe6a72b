import { InvalidInputError, isJsonObject, quote, suggestion } from '#domain'

import type { AccessDocument, CertificateEntry, KeyEntry, Role } from './access-document.ts'
import { builtInRoles } from './built-in-roles.ts'
import { fieldsOf, inside, listOf, textOf, timeOf, wrong } from './fields.ts'
import { parseRole, parseRoleName, parseRoleNames } from './parse-role.ts'
import { parsePrincipalName } from './principal-name.ts'

const rolesMax = 1_000
const keysMax = 100_000
const certificatesMax = 10_000
const commonNameLengthMax = 200

/** Nobody has rights but through built-in roles, and nobody can log in by a key or certificate. */
export const emptyAccess: AccessDocument = Object.freeze({
  roles: Object.freeze({}),
  keys: Object.freeze([]),
  certificates: Object.freeze([]),
})

/**
 * Checks the state of access. Absent lists are empty.
 * @throws InvalidInputError with the path of the first fault: unknown fields, actions and roles, malformed patterns, rules that
 * grant nothing, roles that include themselves, keys and certificates that occur twice.
 */
export function parseAccessDocument(json: unknown): AccessDocument {
  const fields = fieldsOf(json, 'access', ['roles', 'keys', 'certificates'])
  const { roles = {}, keys = [], certificates = [] } = fields
  const document = {
    roles: parseRoles(roles),
    keys: listOf(keys, 'keys', 'keys', parseKeyEntry, keysMax),
    certificates: listOf(
      certificates,
      'certificates',
      'certificates',
      parseCertificateEntry,
      certificatesMax,
    ),
  }
  checkRolesExist(document)
  checkNoCycle(document.roles)
  checkUnique(document.keys, ({ id }) => id, 'keys', 'id')
  checkUnique(document.certificates, ({ commonName }) => commonName, 'certificates', 'commonName')
  return document
}

function parseRoles(json: unknown): AccessDocument['roles'] {
  if (!isJsonObject(json)) return wrong('roles', json, 'an object with a role for each name')
  const names = Object.keys(json)
  if (names.length > rolesMax) {
    throw new InvalidInputError('roles', `roles has ${names.length} roles: expected at most ${rolesMax}`)
  }
  // Without a prototype, so that no name finds what is not listed.
  const roles = Object.create(null) as Record<string, Role>
  for (const name of names) {
    const path = inside('roles', name)
    roles[parseRoleName(name, path)] = parseRole(json[name], path)
  }
  return roles
}

/** Checks an API key by itself, not its roles. @throws InvalidInputError with the path of the first field that is wrong. */
export function parseKeyEntry(json: unknown, path: string): KeyEntry {
  const fields = fieldsOf(json, path, ['id', 'name', 'roles', 'hash', 'createdAt', 'expiresAt', 'revokedAt'])
  const { id, name, roles, hash, createdAt, expiresAt, revokedAt } = fields
  if (typeof id !== 'string' || !/^[A-Za-z2-7]{16}$/.test(id)) {
    return wrong(inside(path, 'id'), id, '16 characters of base32')
  }
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) {
    // Not quoted: somebody may have pasted the secret.
    const place = inside(path, 'hash')
    throw new InvalidInputError(place, `${place} is malformed: expected 64 lower-case hexadecimal digits`)
  }
  return {
    id,
    name: parsePrincipalName(name, inside(path, 'name')),
    roles: parseRoleNames(roles, inside(path, 'roles')),
    hash,
    createdAt: timeOf(createdAt, inside(path, 'createdAt')),
    ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt, inside(path, 'expiresAt')) }),
    ...(revokedAt !== undefined && { revokedAt: timeOf(revokedAt, inside(path, 'revokedAt')) }),
  }
}

/** Checks a certificate by itself, not its roles. @throws InvalidInputError with the path of the first field that is wrong. */
export function parseCertificateEntry(json: unknown, path: string): CertificateEntry {
  const fields = fieldsOf(json, path, ['commonName', 'name', 'roles'])
  const commonName = textOf(fields.commonName, inside(path, 'commonName'), commonNameLengthMax)
  if (commonName === '') return wrong(inside(path, 'commonName'), commonName, 'the common name of a subject')
  return {
    commonName,
    name: parsePrincipalName(fields.name, inside(path, 'name')),
    roles: parseRoleNames(fields.roles, inside(path, 'roles')),
  }
}

function checkRolesExist({ roles, keys, certificates }: AccessDocument): void {
  const known = [...Object.keys(builtInRoles), ...Object.keys(roles)]
  const isKnown = new Set(known)
  const check = (names: readonly string[], path: string) => {
    const index = names.findIndex((name) => !isKnown.has(name))
    const unknown = names[index]
    if (unknown === undefined) return
    const place = `${path}[${index}]`
    throw new InvalidInputError(
      place,
      `${place}: there is no role ${quote(unknown)}${suggestion(unknown, known)}`,
    )
  }
  for (const [name, role] of Object.entries(roles)) {
    check(role.includes ?? [], inside(inside('roles', name), 'includes'))
  }
  for (const [index, key] of keys.entries()) check(key.roles, `keys[${index}].roles`)
  for (const [index, each] of certificates.entries()) check(each.roles, `certificates[${index}].roles`)
}

function checkNoCycle(roles: AccessDocument['roles']): void {
  const done = new Set<string>()
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name)) {
      const cycle = [...above.slice(above.indexOf(name)), name]
      const place = inside(inside('roles', name), 'includes')
      const shown = cycle.length > 10 ? [...cycle.slice(0, 9), '…', name] : cycle
      throw new InvalidInputError(place, `${place}: the role includes itself: ${shown.join(' → ')}`)
    }
    if (done.has(name)) return
    for (const included of roles[name]?.includes ?? []) visit(included, [...above, name])
    done.add(name)
  }
  for (const name of Object.keys(roles)) visit(name, [])
}

function checkUnique<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  path: string,
  field: string,
): void {
  const seen = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const name = nameOf(item)
    const first = seen.get(name)
    if (first !== undefined) {
      const place = `${path}[${index}].${field}`
      throw new InvalidInputError(place, `${place}: ${path}[${first}] has the same ${field} ${quote(name)}`)
    }
    seen.set(name, index)
  }
}
