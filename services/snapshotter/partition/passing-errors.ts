import { namedState } from '#event-log'
import { EventStoreError } from '#event-store'
import { LogError } from '#kafka'
import { refusedByPeer, unavailable } from '#ownership'
import { IndexUnavailableError } from '#redis-index'
import { SchemaError } from '#schemas'

/** The store repeatedly returned a state older than a record in the log, because its index omits that record as foreign. */
export class BehindError extends Error {
  override readonly name = 'BehindError'
}

/** Whether a failure is transient and not specific to the snapshot, so a retry may succeed. */
export function isPassing(error: unknown): boolean {
  if (error instanceof EventStoreError) return error.retry === 'same-ids' || isOfInstallation(error)
  if (error instanceof SchemaError) return error.code === 'registry-unreachable'
  if (error instanceof LogError) return error.outcome !== 'refused'
  return error instanceof IndexUnavailableError
}

/** Codes that say nothing about the stream, and hold until an operator acts: `unauthenticated` if the secrets of services differ. */
const isOfInstallation = ({ code }: EventStoreError): boolean =>
  code === 'log-replaced' || code === 'unauthenticated' || code === 'forbidden'

/** Translates an error for callers. */
export function callersError(error: unknown): unknown {
  const named = namedState(error)
  if (named !== undefined) return named
  if (error instanceof EventStoreError) return refusedByPeer(error)
  if (isPassing(error)) return unavailable(reasonOf(error), error)
  if (!(error instanceof LogError)) return error
  // The topic can never accept the state: it is too large.
  return new EventStoreError('invalid-state', error.message, {}, { cause: error })
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
