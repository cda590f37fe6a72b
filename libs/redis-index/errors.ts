/** Redis failed and may succeed later: it is down, loading, out of memory or did not answer in time. */
export class IndexUnavailableError extends Error {
  override readonly name = 'IndexUnavailableError'
}

/** The log has a later term: this term is over. Only the owner of the later term may claim or drop the index. */
export class LaterOwnerError extends Error {
  override readonly name = 'LaterOwnerError'
}

/** The log's head was deleted, including events that the index lacks. An operator decides how to continue. */
export class HeadDeletedError extends Error {
  override readonly name = 'HeadDeletedError'
  /** The index has all events before this offset. */
  readonly nextOffset: number
  /** The first offset that the log still has. */
  readonly startOffset: number

  constructor(nextOffset: number, startOffset: number) {
    super(
      `the log starts at offset ${startOffset}, but the index lacks the events from offset ${nextOffset} on`,
    )
    this.nextOffset = nextOffset
    this.startOffset = startOffset
  }
}

/**
 * Log and index disagree on a stream: the next event has a version or an offset that does not follow the one stored.
 * The index drops its guard first, so the next catch-up rebuilds it. If a rebuild ends with this error, the log itself has a gap.
 */
export class IndexMismatchError extends Error {
  override readonly name = 'IndexMismatchError'
}
