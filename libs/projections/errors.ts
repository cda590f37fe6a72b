import { type ErrorCode, type ErrorDetails, EventStoreError } from '#event-store'

/** The codes of the event store's error table that projections use. */
export type ProjectionErrorCode = Extract<
  ErrorCode,
  | 'projection-not-found'
  | 'generation-not-found'
  | 'view-not-found'
  | 'projection-behind'
  | 'log-replaced'
  | 'events-deleted'
  | 'overloaded'
  | 'unavailable'
>

/** Why a projection does not answer a request. The event store's error table decides its HTTP status and what the caller does next. */
export class ProjectionError extends EventStoreError {
  override readonly name = 'ProjectionError'
  override readonly code: ProjectionErrorCode

  constructor(code: ProjectionErrorCode, message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(code, message, details, options)
    this.code = code
  }
}
