/** Waits, but no longer than until the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const end = (): void => {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    resolve(undefined)
  }
  const timer = setTimeout(end, ms)
  signal.addEventListener('abort', end, { once: true })
  return promise
}
