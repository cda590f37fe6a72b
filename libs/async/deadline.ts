/** The deadline in `timeoutMs` from now, on the clock of `performance.now()`. */
export const deadlineIn = (timeoutMs: number): number => performance.now() + timeoutMs

/** Milliseconds left until the deadline; 0 once it has passed. */
export const msUntil = (deadline: number): number => Math.max(0, deadline - performance.now())

/**
 * Settles as the promise does, or rejects at the deadline. Leaves no timer behind. The work itself is not aborted.
 * @param late creates the error at the deadline; it may also abort the work.
 */
export async function within<T>(deadline: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), msUntil(deadline))
  })
  try {
    return await Promise.race([promise, passed])
  } finally {
    clearTimeout(timer)
  }
}
