/**
 * Lets a person end work by Ctrl-C: the signal aborts, and the work stops where it can. A second Ctrl-C is not ours any more, and ends
 * the process.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  process.once('SIGINT', leave)
  try {
    return await work(leaving.signal)
  } finally {
    process.removeListener('SIGINT', leave)
  }
}
