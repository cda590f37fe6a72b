import { setTimeout as sleep } from 'node:timers/promises'
import { StackError } from './stack-error.ts'

const pollMs = 50

/**
 * Calls `probe` repeatedly until it returns a truthy value, and returns that. A probe that throws is called again; its
 * last error becomes the cause.
 * @throws StackError naming `what` once `deadlineMs` have passed
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  probe: () => T | Promise<T>,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + deadlineMs
  let cause: unknown
  do {
    try {
      const found = await probe()
      if (found !== undefined && found !== null && found !== false)
        return found as NonNullable<Exclude<T, false>>
    } catch (error) {
      cause = error
    }
    await sleep(pollMs)
  } while (performance.now() < deadline)
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  throw new StackError(`${what}: not within ${deadlineMs / 1000} s${why}`, 1, { cause })
}
