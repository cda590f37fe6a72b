/**
 * What entries of the audit trail are about: the `ce_type` of each. Names are stable; programs filter by them.
 * - `access.denied`: a request was rejected. `access.changed`: keys, roles or certificates were changed.
 * - `projection.…`, `dead-letters.…`, `snapshots.…`: what operators do through the HTTP API.
 * - `topic.repartitioned`, `index.rebuilt`, `log.restored`, `topic.replayed-to`: commands that reach Kafka directly.
 * - `operation.performed`: any other operation.
 * - `audit.…`: the trail itself.
 */
export const auditTypes = [
  'annals.access.denied',
  'annals.access.changed',
  'annals.projection.rebuild-started',
  'annals.projection.generation-discarded',
  'annals.projection.resumed',
  'annals.dead-letters.retried',
  'annals.dead-letters.dropped',
  'annals.snapshots.rebuild-started',
  'annals.snapshots.cleaned-up',
  'annals.topic.repartitioned',
  'annals.topic.replayed-to',
  'annals.index.rebuilt',
  'annals.log.restored',
  'annals.operation.performed',
  'annals.audit.started',
  'annals.audit.stopped',
  'annals.audit.entries-dropped',
] as const

export type AuditType = (typeof auditTypes)[number]

export const auditOutcomes = ['success', 'failure', 'denied'] as const

export type AuditOutcome = (typeof auditOutcomes)[number]

/** Who did it. */
export interface AuditPrincipal {
  readonly name: string
  /** `key`, `jwt`, `certificate`, `peer`, `open`; `cli` for a command that reaches Kafka directly. */
  readonly kind: string
  /** Id of the API key, or fingerprint of the certificate. Never a secret. */
  readonly credentialId?: string
}

/** Facts about one kind of entry: `{ roles: 'reader', expiresAt: '2027-01-31' }`. At most 20, and never a credential. */
export type AuditDetails = Readonly<Record<string, string | number | boolean>>

/**
 * One entry of the audit trail. Texts may come from requests: they are cut, cleaned of control characters and of anything that looks like
 * a credential before they are written.
 */
export interface AuditEntry {
  readonly type: AuditType
  readonly outcome: AuditOutcome
  /** Absent if it is not known: a request without a valid credential. */
  readonly principal?: AuditPrincipal
  readonly action?: string
  /** As `resourceText` writes it: `order.42`, `projection:loans`, `installation`. */
  readonly resource?: string
  /** `POST /projections/:name/rebuild`, `annals restore`; for a denial with the path of the request. */
  readonly operation?: string
  /** Error code of a denial. */
  readonly code?: string
  readonly reason?: string
  readonly requestId?: string
  readonly remoteAddress?: string
  readonly details?: AuditDetails
  /** Milliseconds since 1970; default now. */
  readonly timeMs?: number
  /** How many times it happened, if one entry stands for several; {@link timeMs} is the last time. */
  readonly count?: number
  /** The first time, if one entry stands for several. Milliseconds since 1970. */
  readonly sinceMs?: number
}

/** The process that records an entry. */
export interface AuditSource {
  /** `writer`, `snapshotter`, `projector`, `platform`, `cli`. */
  readonly service: string
  /** Distinguishes processes of a service: its advertised URL, or the host. */
  readonly instance: string
}

/** An entry as it was read from the trail. */
export interface AuditRecord extends Omit<AuditEntry, 'type' | 'timeMs' | 'sinceMs'>, AuditSource {
  /** Unique. An entry that was written twice has the same id. */
  readonly id: string
  /** An {@link AuditType}, or one of a later version. */
  readonly type: string
  /** ISO 8601, UTC. */
  readonly time: string
  /** ISO 8601, UTC. */
  readonly since?: string
}
