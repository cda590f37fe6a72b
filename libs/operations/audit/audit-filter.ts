import { type AuditOutcome, type AuditRecord, auditTypes } from '#audit'
import { suggestion } from '#domain'

import { OperationError } from '../operation-error.ts'
import { resourcePattern, textPattern } from './text-pattern.ts'

/** Which entries are asked for. Absent: all. In patterns `*` stands for any characters. */
export interface AuditFilter {
  /** Milliseconds since 1970. */
  readonly sinceMs?: number
  /** Exclusive. */
  readonly untilMs?: number
  /** A name or a pattern: `web-1`, `cli:*`. */
  readonly principal?: string
  /** A resource or a pattern: `order.42`, `order.*`, `projection:*`. */
  readonly resource?: string
  readonly outcome?: AuditOutcome
  /** Types or patterns; `annals.` in front may be left out: `access.denied`, `dead-letters.*`. */
  readonly types?: readonly string[]
}

const typePrefix = 'annals.'

/** Whether an entry is asked for. @throws OperationError `invalid-request` for a type that no entry has. */
export function matcherOf(filter: AuditFilter): (record: AuditRecord) => boolean {
  const { sinceMs = -Infinity, untilMs = Infinity, outcome } = filter
  const isPrincipal = optional(filter.principal, textPattern)
  const isResource = optional(filter.resource, resourcePattern)
  const types = filter.types?.map(typePattern) ?? []
  return (record) => {
    // An entry that stands for several is asked for if one of them is.
    const lastMs = Date.parse(record.time)
    const firstMs = record.since === undefined ? lastMs : Date.parse(record.since)
    return (
      lastMs >= sinceMs &&
      firstMs < untilMs &&
      (outcome === undefined || record.outcome === outcome) &&
      isPrincipal(record.principal?.name) &&
      isResource(record.resource) &&
      (types.length === 0 || types.some((isType) => isType(record.type)))
    )
  }
}

function optional(
  pattern: string | undefined,
  compile: typeof textPattern,
): (text: string | undefined) => boolean {
  if (pattern === undefined) return () => true
  const matches = compile(pattern)
  return (text) => text !== undefined && matches(text)
}

function typePattern(text: string): (type: string) => boolean {
  const matches = textPattern(text.startsWith(typePrefix) || text === '*' ? text : `${typePrefix}${text}`)
  if (auditTypes.some(matches)) return matches
  const known = auditTypes.map((type) => type.slice(typePrefix.length))
  throw new OperationError(
    'invalid-request',
    `no entry of the audit trail has the type ${text}${suggestion(text.replace(typePrefix, ''), known)}`,
  )
}
