/**
 * Does something with each of them, so many at once, in their order. The first failure ends all, and is thrown once all have ended.
 * @param work is told when to give up: when the signal aborts, or another has failed.
 */
export async function inParallel<T>(
  lanes: number,
  all: readonly T[],
  signal: AbortSignal,
  work: (one: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const ending = AbortSignal.any([signal, failed.signal])
  const waiting = [...all]
  const errors: unknown[] = []
  const lane = async (): Promise<void> => {
    for (let own = waiting.shift(); own !== undefined && !ending.aborted; own = waiting.shift()) {
      await work(own, ending).catch((error: unknown) => {
        errors.push(error)
        failed.abort()
      })
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  signal.throwIfAborted()
  if (errors.length > 0) throw errors[0]
}
