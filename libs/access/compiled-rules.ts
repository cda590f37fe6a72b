import type { Role } from './access-document.ts'
import type { Action } from './action.ts'
import { isGrantable } from './grantable.ts'
import { Grants } from './grants.ts'
import { type Pattern, parsePattern } from './pattern.ts'

/** A role with its patterns taken apart. */
export interface ParsedRole {
  readonly name: string
  readonly includes: readonly string[]
  readonly grants: readonly ParsedGrant[]
}

interface ParsedGrant {
  readonly action: Action
  readonly text: string
  readonly pattern: Pattern
}

/** @throws InvalidInputError for a malformed pattern. */
export function parsedRole(name: string, { includes = [], rules }: Role): ParsedRole {
  const grants = rules.flatMap((rule, index) =>
    rule.on.flatMap((text) => {
      const pattern = parsePattern(text, `roles.${name}.rules[${index}].on`)
      return rule.actions.map((action) => ({ action, text, pattern }))
    }),
  )
  return { name, includes, grants }
}

/** The rules of several roles as one. */
export interface CompiledRules {
  readonly grants: ReadonlyMap<Action, Grants>
  /** The part of the grants that concerns streams of aggregates. */
  readonly onStreams: readonly Grants[]
  /** All grants, sorted: equal for roles that allow the same by the same patterns. */
  readonly fingerprint: string
}

/** @param roles sorted by name, so that equal sets give equal reasons */
export function compileRules(roles: readonly ParsedRole[]): CompiledRules {
  const grants = new Map<Action, Grants>()
  const onStreams = new Set<Grants>()
  const lines = new Set<string>()
  for (const { name, grants: ofRole } of roles) {
    for (const { action, text, pattern } of ofRole) {
      const ofAction = grants.get(action) ?? new Grants()
      grants.set(action, ofAction)
      const reason = `role ${name} grants ${action} on ${text}`
      ofAction.add(pattern, Object.freeze({ isAllowed: true, reason }))
      if (isGrantable(action, anyStream)) onStreams.add(ofAction)
      lines.add(`${action} ${text}`)
    }
  }
  return { grants, onStreams: [...onStreams], fingerprint: [...lines].sort().join('\n') }
}

const anyStream: Pattern = { kind: 'stream', id: { text: '', isPrefix: true } }
