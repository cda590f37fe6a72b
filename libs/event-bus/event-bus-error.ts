/**
 * To the bus's `onFailure`:
 * - `skipped`: an event was passed over, by the handler's own word or because all tries failed. The next one follows.
 * - `stopped`: the subscriber takes no more events, by the handler's own word or because all tries of one failed.
 * - `cut-off`: the subscriber's queue had no room for too long; it takes no more events.
 * - `not-drained`: the bus was closed, and the subscriber had events left when the time for it was over.
 *
 * To a publisher:
 * - `closed`: the bus takes no more events.
 * - `busy`: too many publishes wait for room already. Nobody got these events: publish them again later.
 *
 * To a feed:
 * - `missed`: a subscriber stopped or was cut off before it handled an event that it had asked for.
 */
export type EventBusCode = 'skipped' | 'stopped' | 'cut-off' | 'not-drained' | 'closed' | 'busy' | 'missed'

/** The one error of this library. What a handler threw is its `cause`. */
export class EventBusError extends Error {
  override readonly name = 'EventBusError'
  readonly code: EventBusCode

  constructor(code: EventBusCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
