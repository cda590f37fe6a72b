import type { KnownProjection } from '../../history.ts'

/** Where an installation is, past all of its services but those that serve what is read. */
export interface Where {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly redisKeyPrefix: string
  /** Of the Confluent API, e.g. `http://127.0.0.1:7481/apis/ccompat/v7`. */
  readonly registryUrl: string
  readonly projectorUrl: string
  /** Aggregate types: each has a topic of events and one of snapshots. */
  readonly types: readonly string[]
  readonly projections: readonly KnownProjection[]
}

export const eventTopicOf = (type: string): string => `eventstore.${type}`
export const snapshotTopicOf = (type: string): string => `snapshots.${type}`

/** A take-over may come between two questions: asked again for so long, so often. */
export const patienceMs = 30_000
export const againMs = 200
