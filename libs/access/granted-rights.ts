import { quote } from '#domain'

import type { Action } from './action.ts'
import type { CompiledRules } from './compiled-rules.ts'
import { type Resource, resourceText } from './resource.ts'
import type { Decision, Rights, StreamsAllowed } from './rights.ts'

/** Rights of a principal by its roles. */
export class GrantedRights implements Rights {
  readonly #rules: CompiledRules
  readonly #principal: string
  readonly #missing: string

  /** @param missing what is wrong with the principal's roles, for the reason of denials; empty if nothing is */
  constructor(rules: CompiledRules, principal: string, missing: string) {
    this.#rules = rules
    this.#principal = principal
    this.#missing = missing
  }

  get fingerprint(): string {
    return this.#rules.fingerprint
  }

  decide(action: Action, resource: Resource): Decision {
    return this.#rules.grants.get(action)?.of(resource) ?? this.#denial(action, resource)
  }

  streamsOf(action: Action, type: string): StreamsAllowed {
    return this.#rules.grants.get(action)?.streamsAllowed(type) ?? 'none'
  }

  touchesType(type: string): boolean {
    return this.#rules.onStreams.some((grants) => grants.someStream(type) !== undefined)
  }

  #denial(action: Action, resource: Resource): Decision {
    const where = `${on[resource.kind]}${shown(resourceText(resource))}`
    return {
      isAllowed: false,
      reason: `no role of ${shown(this.#principal)} grants ${action} on ${where}${this.#missing}`,
    }
  }
}

/** Before the text of a resource in the reason of a denial. */
const on: Readonly<Record<Resource['kind'], string>> = {
  stream: '',
  category: 'any stream of ',
  type: 'all of ',
  projection: '',
  user: '',
  installation: '',
}

const plain = /^[\x21-\x7e]{1,80}$/

/** Text of a request in a sentence: as it is if it is short and plain, otherwise cut and quoted. */
export const shown = (text: string): string => (plain.test(text) ? text : quote(text))

const granted: Decision = Object.freeze({ isAllowed: true, reason: 'no rules restrict this caller' })

/** Everything is allowed. For callers of an installation without access control. */
export const allRights: Rights = Object.freeze({
  decide: () => granted,
  streamsOf: () => 'all',
  touchesType: () => true,
  fingerprint: 'everything',
})
