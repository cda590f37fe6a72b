import { type AccessDocument, type Caller, type Credentials, RightsTable, type Rule } from '#access'
import { EventStoreError } from '#event-store'
import type { AdministrativeAct, Denial, Guard } from '#http'

/** A guard for tests of HTTP: the token is the name of a caller. It remembers what it was told. */
export class KnownCallers implements Guard {
  readonly denials: Denial[] = []
  readonly acts: AdministrativeAct[] = []
  /** Names whose credential has ended. */
  readonly ended = new Set<string>()
  readonly #callers: ReadonlyMap<string, Caller>

  /** @param rules the rules of each caller, by name. */
  constructor(rules: Readonly<Record<string, readonly Rule[]>>) {
    const roles: AccessDocument['roles'] = Object.fromEntries(
      Object.entries(rules).map(([name, own]) => [name, { rules: own }]),
    )
    const table = new RightsTable(roles)
    this.#callers = new Map(
      Object.keys(rules).map((name) => [
        name,
        {
          principal: { name, kind: 'key', roles: [name] },
          rights: table.of([name], name),
          isForwarded: name.startsWith('peer-'),
          ended: () => (this.ended.has(name) ? `the key of ${name} was revoked` : undefined),
        },
      ]),
    )
  }

  authenticate({ authorization: [given = ''] }: Credentials): Caller | Promise<Caller> {
    const name = given.replace(/^Bearer (slow )?/, '')
    const caller = this.#callers.get(name)
    if (caller === undefined) throw new EventStoreError('unauthenticated', 'the credential is not valid')
    return given.includes('slow ') ? Promise.resolve(caller) : caller
  }

  denied(denial: Denial): void {
    this.denials.push(denial)
  }

  acted(act: AdministrativeAct): void {
    this.acts.push(act)
  }
}
