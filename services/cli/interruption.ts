/**
 * Lets a person end work by Ctrl-C: the signal aborts, and the work stops where it can. A second Ctrl-C is not ours any more, and ends
 * the process.
 * @param signals what ends it; what runs for ever ends by SIGTERM as well.
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
