/** Redis did not do what was asked, and may do it later: it is down, loading, out of memory or did not answer in time. */
export class IndexUnavailableError extends Error {
  override readonly name = 'IndexUnavailableError'
}

/** Another term began later in the log, and the index is its own. This term is over. */
export class LaterOwnerError extends Error {
  override readonly name = 'LaterOwnerError'
}

/** The log's head was deleted, and with it events that the index lacks. An operator decides what becomes of the rest. */
export class HeadDeletedError extends Error {
  override readonly name = 'HeadDeletedError'
  /** The index has all before this offset. */
  readonly nextOffset: number
  /** The first offset that the log still has. */
  readonly startOffset: number

  constructor(nextOffset: number, startOffset: number) {
    super(
      `the log begins at offset ${startOffset}, and the index lacks what was there from offset ${nextOffset}`,
    )
    this.nextOffset = nextOffset
    this.startOffset = startOffset
  }
}

/**
 * Log and index disagree on a stream: the next event has a version or an offset that does not follow the one stored.
 * The index has forgotten its guard by then, so the next catch-up rebuilds it. If a rebuild ends with this error, the log itself has a gap.
 */
export class IndexMismatchError extends Error {
  override readonly name = 'IndexMismatchError'
}
