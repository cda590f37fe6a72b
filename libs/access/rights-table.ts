import { LRUCache } from 'lru-cache'

import type { AccessDocument } from './access-document.ts'
import { builtInRoles } from './built-in-roles.ts'
import { type CompiledRules, compileRules, type ParsedRole, parsedRole } from './compiled-rules.ts'
import { GrantedRights, shown } from './granted-rights.ts'
import type { Rights } from './rights.ts'

/** Sets of roles whose rules are kept compiled. */
const setsMax = 1_000

interface NumberedRole extends ParsedRole {
  readonly number: number
}

/** What roles allow. Made once for each state of access; rules are compiled once for each set of roles. */
export class RightsTable {
  readonly #roles = new Map<string, NumberedRole>()
  readonly #compiled = new LRUCache<string, CompiledRules>({ max: setsMax })

  /**
   * @param roles the installation's own roles. The built-in ones are added, and cannot be replaced.
   * @throws InvalidInputError for a malformed pattern.
   */
  constructor(roles: AccessDocument['roles']) {
    const all = Object.entries({ ...roles, ...builtInRoles }).sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [number, [name, role]] of all.entries()) {
      this.#roles.set(name, { ...parsedRole(name, role), number })
    }
  }

  /**
   * The rights of a principal. The order of roles does not matter. Unknown roles grant nothing.
   * @param principalName for the reasons of denials
   */
  of(roles: readonly string[], principalName: string): Rights {
    const numbers: number[] = []
    let unknown: string | undefined
    for (const name of roles) {
      const role = this.#roles.get(name)
      if (role === undefined) unknown ??= name
      else if (!numbers.includes(role.number)) numbers.push(role.number)
    }
    return new GrantedRights(this.#rulesOf(numbers), principalName, missing(roles, unknown))
  }

  #rulesOf(numbers: number[]): CompiledRules {
    const key = numbers.sort((a, b) => a - b).join()
    const known = this.#compiled.get(key)
    if (known !== undefined) return known
    const compiled = compileRules(this.#withIncluded(numbers))
    this.#compiled.set(key, compiled)
    return compiled
  }

  /** The roles with all that they include, directly or not, sorted by name. A cycle adds nothing. */
  #withIncluded(numbers: readonly number[]): ParsedRole[] {
    const all = [...this.#roles.values()]
    const wanted = new Set(all.filter(({ number }) => numbers.includes(number)))
    // A set yields what is added while it is iterated.
    for (const { includes } of wanted) {
      for (const name of includes) {
        const included = this.#roles.get(name)
        if (included !== undefined) wanted.add(included)
      }
    }
    return all.filter((role) => wanted.has(role))
  }
}

function missing(roles: readonly string[], unknown: string | undefined): string {
  if (roles.length === 0) return ': it has no roles'
  return unknown === undefined ? '' : `; there is no role ${shown(unknown)}`
}
