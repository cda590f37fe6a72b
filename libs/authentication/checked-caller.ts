import type { Caller, Principal, Rights } from '#access'

import type { AccessIndex } from './access-index.ts'
import { standingOf } from './standing.ts'

interface CheckedCallerOptions {
  readonly principal: Principal
  readonly isForwarded: boolean
  /** The document that the credential was checked with. */
  readonly index: AccessIndex
  readonly current: () => AccessIndex | undefined
  readonly now: () => number
  /** Of the certificate with which the caller itself has connected. */
  readonly commonName?: string
}

/** A caller whose credential was checked with an access document. It looks again only when there is another document. */
export class CheckedCaller implements Caller {
  readonly principal: Principal
  readonly rights: Rights
  readonly isForwarded: boolean
  readonly #options: CheckedCallerOptions
  #checked: AccessIndex
  #expiresAtMs: number | undefined

  constructor(options: CheckedCallerOptions) {
    const { principal, isForwarded, index } = options
    this.principal = principal
    this.rights = index.rightsOf(principal.roles, principal.name)
    this.isForwarded = isForwarded
    this.#options = options
    this.#checked = index
    this.#expiresAtMs = principal.expiresAtMs
  }

  ended(): string | undefined {
    const index = this.#options.current()
    if (index !== this.#checked) {
      const reason = this.#lookAgain(index)
      if (reason !== undefined) return reason
    }
    return this.#expiresAtMs !== undefined && this.#options.now() >= this.#expiresAtMs
      ? 'the credential has expired'
      : undefined
  }

  #lookAgain(index: AccessIndex | undefined): string | undefined {
    if (index === undefined) return 'the access state is not available'
    const standing = standingOf(index, this.principal, this.#options.commonName)
    if ('ended' in standing) return standing.ended
    const rights = index.rightsOf(standing.roles, this.principal.name)
    if (rights.fingerprint !== this.rights.fingerprint) return 'the rights of the principal have changed'
    this.#checked = index
    this.#expiresAtMs = standing.expiresAtMs
    return undefined
  }
}
