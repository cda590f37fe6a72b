import type { Position, TopicPartition } from '#domain'

import type { EventFeed, FedEvent } from '#event-log/records'
import type { ViewSet } from '../view-store/view-set.ts'
import type { ViewStore } from '../view-store/view-store.ts'

/** Where copies of events that could not be applied are written. */
export interface DeadLetters {
  /** Rejects when the letter could not be written; the engine retries. */
  add(letter: { readonly set: ViewSet; readonly position: Position; readonly error: string }): Promise<void>
}

export interface EngineSettings {
  /** The most events that one step applies. */
  readonly batchEventsMax: number
  /** How many times an event that cannot be applied is tried. */
  readonly triesMax: number
  /** The delay between two tries. It doubles each time. */
  readonly retryDelayMsMin: number
  readonly retryDelayMsMax: number
  /** How often the store is polled for work. */
  readonly pollMs: number
}

export const defaultEngineSettings: EngineSettings = {
  batchEventsMax: 1_000,
  triesMax: 5,
  retryDelayMsMin: 100,
  retryDelayMsMax: 10_000,
  pollMs: 500,
}

/** One applied step. */
export interface AppliedStep {
  readonly set: ViewSet
  readonly source: TopicPartition
  readonly events: number
  /** The events of the step. */
  readonly batch: readonly FedEvent[]
  /** Events that changed no view: their type is not handled, or they have no key. */
  readonly skipped: number
  readonly changes: number
  readonly checkpoint: number
  /** From the fold to the store's answer, including every retry. */
  readonly tookMs: number
}

/** Observes what the engine does: for metrics, logs and waiting readers. */
export interface EngineObserver {
  applied(step: AppliedStep): void
  /** An event could not be applied; the engine retries, unless this was the last try. */
  failed(set: ViewSet, position: Position, error: Error, isLastTry: boolean): void
  stopped(set: ViewSet, source: TopicPartition, error: Error): void
  parked(set: ViewSet, position: Position, error: Error): void
  /** A step was rejected. `checkpoint-moved` means a stale instance, or a store that lost or regained state. */
  refused(set: ViewSet, source: TopicPartition, outcome: 'checkpoint-moved' | 'view-changed'): void
  switched(set: ViewSet): void
  /** A generation is damaged. Another one replaces it, unless it was kept for a look at the past. */
  damaged(set: ViewSet, damage: string): void
  /** A problem that may be temporary; the engine retries. */
  problem(projection: string, error: unknown): void
}

export interface EngineParts {
  readonly store: Pick<ViewStore, 'prepare' | 'generations' | 'views'>
  readonly feed: EventFeed
  readonly deadLetters: DeadLetters
  readonly observer: EngineObserver
  readonly settings: EngineSettings
}
