import type { Action } from './action.ts'

/** Grants actions on all resources that one of the patterns matches. */
export interface Rule {
  readonly actions: readonly Action[]
  /** `order.*`, `order.eu-*`, `order.42`, `*.*`, `projection:loans`, `projection:*`, `user:web-*`, `installation`, or `*` for everything. */
  readonly on: readonly string[]
}

/** Bounds for each principal with a role; the largest of all of its roles holds. Absent: the settings ANNALS_LIMIT_… hold. */
export interface LimitsOfRole {
  readonly requestsPerSecond?: number
  readonly eventsPerSecond?: number
  readonly bytesPerSecond?: number
  readonly subscribers?: number
  readonly reads?: number
}

export interface Role {
  readonly description?: string
  /** Roles whose rules this one has too. */
  readonly includes?: readonly string[]
  readonly rules: readonly Rule[]
  readonly limits?: LimitsOfRole
}

/** An API key, without its secret. */
export interface KeyEntry {
  /** 16 characters of base32, public. */
  readonly id: string
  /** Name of the principal. Several keys may have the same name. */
  readonly name: string
  readonly roles: readonly string[]
  /** SHA-256 of the secret, in hexadecimal. */
  readonly hash: string
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601. Absent: it does not expire. */
  readonly expiresAt?: string
  /** ISO 8601. Absent: it is not revoked. */
  readonly revokedAt?: string
}

/** Client certificates of this subject name are this principal. */
export interface CertificateEntry {
  /** Common name of the subject, exactly. The certificate must be signed by ANNALS_TLS_CLIENT_CA_FILE. */
  readonly commonName: string
  /** Name of the principal. */
  readonly name: string
  readonly roles: readonly string[]
}

/** Everything that decides who may do what: the content of the access file, and of the topic `annals.access`. */
export interface AccessDocument {
  /** By name. Built-in roles are not listed and cannot be redefined. */
  readonly roles: Readonly<Record<string, Role>>
  readonly keys: readonly KeyEntry[]
  readonly certificates: readonly CertificateEntry[]
}
