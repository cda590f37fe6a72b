import { namedState } from '#event-log'
import { EventStoreError } from '#event-store'
import { LogError } from '#kafka'
import { unavailable } from '#ownership'
import { IndexUnavailableError } from '#redis-index'
import { SchemaError } from '#schemas'

/** The store keeps answering with a state older than a record that is in the log: its index leaves that record out, as it does foreign ones. */
export class BehindError extends Error {
  override readonly name = 'BehindError'
}

/** Whether something that others depend on, too, was away: the same may go well later. Everything else is the snapshot's own fault. */
export function isPassing(error: unknown): boolean {
  if (error instanceof EventStoreError) return error.retry === 'same-ids' || error.code === 'log-replaced'
  if (error instanceof SchemaError) return error.code === 'registry-unreachable'
  if (error instanceof LogError) return error.outcome !== 'refused'
  return error instanceof IndexUnavailableError
}

/** What a caller gets. */
export function callersError(error: unknown): unknown {
  const named = namedState(error)
  if (named !== undefined) return named
  if (error instanceof EventStoreError) return error
  if (isPassing(error)) return unavailable(reasonOf(error), error)
  if (!(error instanceof LogError)) return error
  // The topic can never accept the state: it is too large.
  return new EventStoreError('invalid-state', error.message, {}, { cause: error })
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
