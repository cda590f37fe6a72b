import { namedState } from '#event-log'
import { EventStoreError } from '#event-store'
import { LogError } from '#kafka'
import { unavailable } from '#ownership'
import { IndexUnavailableError } from '#redis-index'

/** The partition has another owner. The caller may retry with the same ids. */
export const notOwner = (partition: string): EventStoreError =>
  new EventStoreError('not-owner', `this writer does not own ${partition}`, { retryAfterSeconds: 1 })

/** An append was sent, and its outcome is not known. The caller may retry with the same ids. */
export const outcomeUnknown = (partition: string): EventStoreError =>
  new EventStoreError(
    'outcome-unknown',
    `the events were sent to ${partition}, but no answer came: send them again with the same ids to learn their outcome`,
  )

/** Translates the error of a read: a failure of Kafka or Redis that may pass becomes `unavailable`. */
export function readError(error: unknown): unknown {
  const named = namedState(error)
  if (named !== undefined) return named
  const passes = error instanceof LogError && error.outcome === 'unavailable'
  if (!passes && !(error instanceof IndexUnavailableError)) return error
  return unavailable(error.message, error)
}
