import { type AccessDocument, parseAccessDocument } from '#access'

import type { AccessChange } from './access-editor.ts'
import { AccessStoreError } from './access-store-error.ts'
import { accessBounds } from './bounds.ts'

/**
 * The document after the changes.
 * @throws InvalidInputError if it would not be valid; AccessStoreError `role-in-use`, `full`
 */
export function applyChanges(document: AccessDocument, changes: readonly AccessChange[]): AccessDocument {
  const roles = new Map(Object.entries(document.roles))
  const keys = new Map(document.keys.map((entry) => [entry.id, entry]))
  const certificates = new Map(document.certificates.map((entry) => [entry.commonName, entry]))
  for (const change of changes) {
    if (change.kind === 'role') putOrRemove(roles, change)
    else if (change.kind === 'key') putOrRemove(keys, change)
    else putOrRemove(certificates, change)
  }
  const changed = {
    roles: Object.fromEntries(roles),
    keys: [...keys.values()],
    certificates: [...certificates.values()],
  }
  checkRemovedRoles(changed, changes)
  checkBounds(changed, changes)
  return parseAccessDocument(changed)
}

function putOrRemove<Value>(
  entries: Map<string, Value>,
  { name, value }: { readonly name: string; readonly value: Value | null },
): void {
  // What has changed comes last, as in a compacted topic.
  entries.delete(name)
  if (value !== null) entries.set(name, value)
}

const usersNamedMax = 5

function checkRemovedRoles(after: AccessDocument, changes: readonly AccessChange[]): void {
  for (const { kind, name, value } of changes) {
    if (kind !== 'role' || value !== null) continue
    const users = usersOf(after, name)
    if (users.length === 0) continue
    const more = users.length - usersNamedMax
    throw new AccessStoreError(
      'role-in-use',
      `role ${name} cannot be removed, because it belongs to ${users.slice(0, usersNamedMax).join(', ')}` +
        `${more > 0 ? ` and ${more} more` : ''}: change or remove those first`,
    )
  }
}

/** Everything that has a role, as a message names it. */
const usersOf = ({ roles, keys, certificates }: AccessDocument, role: string): readonly string[] => [
  ...Object.entries(roles).flatMap(([name, { includes = [] }]) =>
    includes.includes(role) ? [`role ${name}`] : [],
  ),
  ...keys.flatMap((key) => (key.roles.includes(role) ? [`key ${key.id} (${key.name})`] : [])),
  ...certificates.flatMap((entry) => (entry.roles.includes(role) ? [`certificate ${entry.commonName}`] : [])),
]

function checkBounds({ roles, keys, certificates }: AccessDocument, changes: readonly AccessChange[]): void {
  const counts = { role: Object.keys(roles).length, key: keys.length, certificate: certificates.length }
  if (counts.role + counts.key + counts.certificate > accessBounds.entries) {
    throw full(`${accessBounds.entries} roles, keys and certificates`)
  }
  for (const { kind, name, value } of changes) {
    const max = accessBounds.each[kind]
    if (counts[kind] > max) throw full(`${max} ${kind}s`)
    const bytes = Buffer.byteLength(JSON.stringify(value))
    if (bytes <= accessBounds.entryBytes) continue
    const limit = `more than the ${accessBounds.entryBytes} that an entry may have`
    throw new AccessStoreError('full', `${kind} ${name} has ${bytes} bytes, ${limit}`)
  }
}

const full = (bound: string): AccessStoreError =>
  new AccessStoreError(
    'full',
    `access cannot have more than ${bound}: remove some that are no longer needed first, e.g. keys that have ended (./annals access key remove)`,
  )
