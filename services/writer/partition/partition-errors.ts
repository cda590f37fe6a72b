import { namedState } from '#event-log'
import { EventStoreError } from '#event-store'
import { LogError } from '#kafka'
import { IndexUnavailableError } from '#redis-index'

/** The three ways a partition may fail a caller for reasons of its own; all of them are worth another try with the same ids. */
export const unavailable = (reason: string): EventStoreError =>
  new EventStoreError('unavailable', reason, { retryAfterSeconds: 1 })

export const notOwner = (partition: string): EventStoreError =>
  new EventStoreError('not-owner', `this writer does not own ${partition}`, { retryAfterSeconds: 1 })

export const outcomeUnknown = (partition: string): EventStoreError =>
  new EventStoreError(
    'outcome-unknown',
    `the events were sent to ${partition}, but no answer came: send them again with the same ids to learn what became of them`,
  )

/** The error of a read that failed because of Kafka or Redis: whatever passes may be retried. */
export function readError(error: unknown): unknown {
  const named = namedState(error)
  if (named !== undefined) return named
  const passes = error instanceof LogError && error.outcome === 'unavailable'
  if (!passes && !(error instanceof IndexUnavailableError)) return error
  return new EventStoreError('unavailable', error.message, { retryAfterSeconds: 1 }, { cause: error })
}
