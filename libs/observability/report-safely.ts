/**
 * Runs what only reports: a metric, a progress display, a log line. That it fails must never fail the work it reports on, so
 * whatever it throws ends here.
 */
export function reportSafely(report: () => void): void {
  try {
    report()
  } catch {
    // There is nowhere to report it: reporting is what failed.
  }
}
