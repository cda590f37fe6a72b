/**
 * Reported to the bus's `onFailure`:
 * - `skipped`: an event was skipped, because the handler said so or because all tries failed. The next one follows.
 * - `stopped`: the subscriber takes no more events, because the handler said so or because all tries of one failed.
 * - `cut-off`: the queue of the subscriber was full for too long. It takes no more events.
 * - `not-drained`: the bus was closed, and the subscriber still had events when the time was over.
 *
 * Thrown to a publisher:
 * - `closed`: the bus takes no more events.
 * - `busy`: too many publishes are waiting already. No subscriber received these events: publish them again later.
 *
 * Thrown to a feed:
 * - `missed`: a subscriber stopped or was cut off before it handled an event that it matches.
 */
export type EventBusCode = 'skipped' | 'stopped' | 'cut-off' | 'not-drained' | 'closed' | 'busy' | 'missed'

/** The error of this library. What a handler threw is its `cause`. */
export class EventBusError extends Error {
  override readonly name = 'EventBusError'
  readonly code: EventBusCode

  constructor(code: EventBusCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
