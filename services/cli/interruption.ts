/**
 * Runs work that Ctrl-C interrupts: its signal aborts, and the work stops where it can. A second Ctrl-C ends the process.
 * @param signals the process signals that abort the work; work that runs until it is stopped also ends on SIGTERM.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signals: readonly NodeJS.Signals[] = ['SIGINT'],
): Promise<T> {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  for (const signal of signals) process.once(signal, leave)
  try {
    return await work(leaving.signal)
  } finally {
    for (const signal of signals) process.removeListener(signal, leave)
  }
}
