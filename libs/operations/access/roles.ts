import { builtInRoles, parseRole, parseRoleName, type Role } from '#access'
import type { AccessEditor } from '#access-store'
import { quote, suggestion } from '#domain'

import { OperationError } from '../operation-error.ts'

export interface ListedRole extends Role {
  readonly name: string
  readonly isBuiltIn: boolean
}

/** Puts a role, as new or in place of the one with its name. @param json its content, not yet checked. @throws InvalidInputError */
export async function putRole(
  editor: Pick<AccessEditor, 'edit'>,
  name: string,
  json: unknown,
): Promise<{ readonly isNew: boolean }> {
  parseRoleName(name, 'name')
  const value = parseRole(json, name)
  let isNew = false
  await editor.edit(({ roles }) => {
    isNew = !Object.hasOwn(roles, name)
    return [{ kind: 'role', name, value }]
  })
  return { isNew }
}

/** All roles: the built-in ones, then the installation's own by name. */
export async function listRoles(editor: Pick<AccessEditor, 'read'>): Promise<readonly ListedRole[]> {
  const { roles } = await editor.read()
  const own = Object.entries(roles).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...Object.entries(builtInRoles).map(([name, role]) => ({ name, isBuiltIn: true, ...role })),
    ...own.map(([name, role]) => ({ name, isBuiltIn: false, ...role })),
  ]
}

/** Removes a role. @throws OperationError `no-role`, `role-in-use` */
export async function removeRole(editor: Pick<AccessEditor, 'edit'>, name: string): Promise<void> {
  if (Object.hasOwn(builtInRoles, name)) {
    throw new OperationError('no-role', `role ${name} is built in, so it cannot be removed`)
  }
  await editor.edit(({ roles }) => {
    if (!Object.hasOwn(roles, name)) {
      const hint = suggestion(name, Object.keys(roles))
      throw new OperationError('no-role', `there is no role ${quote(name)}${hint}`)
    }
    return [{ kind: 'role', name, value: null }]
  })
}
