import { type AccessDocument, limitsOfRoles, type LimitsOfRole } from '#access'

type Roles = AccessDocument['roles']

/** The limits of principals: those of their roles, and otherwise those of the settings. */
export class LimitsByRoles {
  readonly #defaults: LimitsOfRole
  readonly #rolesNow: () => Roles | undefined
  /** By the list of a principal's roles. All requests with an API key share one list. */
  #known = new WeakMap<readonly string[], LimitsOfRole>()
  /** For which {@link #known} holds. */
  #roles: Roles | undefined

  constructor(defaults: LimitsOfRole, rolesNow: () => Roles | undefined) {
    this.#defaults = onlySet(defaults)
    this.#rolesNow = rolesNow
  }

  /** @returns undefined where nothing is limited */
  of(names: readonly string[]): LimitsOfRole | undefined {
    const roles = this.#rolesNow()
    if (roles !== this.#roles) {
      this.#roles = roles
      this.#known = new WeakMap()
    }
    let limits = this.#known.get(names)
    if (limits === undefined) {
      limits = roles === undefined ? this.#defaults : { ...this.#defaults, ...limitsOfRoles(roles, names) }
      this.#known.set(names, limits)
    }
    return Object.keys(limits).length === 0 ? undefined : limits
  }
}

const onlySet = (limits: LimitsOfRole): LimitsOfRole =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
