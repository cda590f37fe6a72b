import type { KnownProjection } from '../../history.ts'

/** Addresses of an installation, bypassing its services except those that serve what is read. */
export interface Where {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly redisKeyPrefix: string
  /** URL of the Confluent API, e.g. `http://127.0.0.1:7481/apis/ccompat/v7`. */
  readonly registryUrl: string
  readonly projectorUrl: string
  /** Aggregate types; each has a topic of events and one of snapshots. */
  readonly types: readonly string[]
  readonly projections: readonly KnownProjection[]
}

export const eventTopicOf = (type: string): string => `eventstore.${type}`
export const snapshotTopicOf = (type: string): string => `snapshots.${type}`

/** A take-over may happen between two reads, so they are repeated for this long, at this interval. */
export const patienceMs = 30_000
export const againMs = 200
