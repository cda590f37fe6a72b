/**
 * Runs code that only reports: a metric, a progress display, a log line. Its failure must never fail the work it
 * reports on, so errors are swallowed here.
 */
export function reportSafely(report: () => void): void {
  try {
    report()
  } catch {
    // There is nowhere to report this: reporting is what failed.
  }
}
