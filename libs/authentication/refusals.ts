import { EventStoreError } from '#event-store'

/** A credential that does not count. The message is for its sender, and must not help a guesser. */
export const unauthenticated = (message: string): EventStoreError =>
  new EventStoreError('unauthenticated', message)

/** Nothing is known that the credential could be checked against, or no more can be remembered. */
export const unavailable = (message: string, options?: ErrorOptions): EventStoreError =>
  new EventStoreError('unavailable', message, { retryAfterSeconds: 1 }, options)
