/**
 * Resolves after `ms`, or as soon as the signal aborts. Never rejects, so a loop checks its signal itself.
 * Leaves neither a timer nor a listener behind.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const end = (): void => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
    resolve(undefined)
  }
  const timer = setTimeout(end, ms)
  signal?.addEventListener('abort', end, { once: true })
  return promise
}
