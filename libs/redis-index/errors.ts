/** Redis did not do what was asked, and may do it later: it is down, loading, out of memory or did not answer in time. */
export class IndexUnavailableError extends Error {
  override readonly name = 'IndexUnavailableError'
}

/**
 * Log and index disagree on a stream: the next event has a version or an offset that does not follow the one stored.
 * The index has forgotten its guard by then, so the next catch-up rebuilds it. If a rebuild ends with this error, the log itself has a gap.
 */
export class IndexMismatchError extends Error {
  override readonly name = 'IndexMismatchError'
}
