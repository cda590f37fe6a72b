import { unlessAborted } from './unless-aborted.ts'

/**
 * Settles as the work does, or rejects as soon as the signal aborts. The work is not stopped; it is not begun if the signal has
 * already aborted.
 * @throws the reason of the signal once it has aborted, even if the work has succeeded by then; otherwise what the work throws.
 */
export async function abortable<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const working = work()
  await unlessAborted(signal, working)
  signal.throwIfAborted()
  return working
}
