import fc from 'fast-check'
import { vi } from 'vitest'

/** A read loop that runs until it fails or leaves. It records its error. */
export class BackgroundRead {
  readonly leaving = new AbortController()
  readonly ended: Promise<void>
  error: unknown

  constructor(read: (signal: AbortSignal) => Promise<void>) {
    this.ended = read(this.leaving.signal).catch((error: unknown) => {
      this.error = error
    })
  }

  leave(): Promise<void> {
    this.leaving.abort()
    return this.ended
  }
}

/** Resolves as soon as the check passes. @throws the check's last error after 4 s. */
export const eventually = <T>(check: () => T): Promise<T> =>
  vi.waitFor(check, { timeout: 4_000, interval: 1 })

/** The whole numbers from `from` up to, but not including, `until`. */
export const range = (from: number, until: number): number[] =>
  Array.from({ length: until - from }, (_, n) => from + n)

/** A reader that starts after some step at some offset, and pauses between its pieces. */
export const someReader = {
  from: fc.nat(150),
  pauses: fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
  afterStep: fc.nat(8),
}

/** Steps that append to a log, and change how many records a piece has. */
export const someAppends = fc.array(
  fc.record({
    count: fc.nat(30),
    markers: fc.nat(2),
    recordsMax: fc.integer({ min: 1, max: 25 }),
  }),
  { minLength: 1, maxLength: 9 },
)

/** A pace that waits the given numbers of turns of the event loop, in a cycle. */
export function pacedBy(pauses: readonly number[]): () => Promise<void> {
  let turn = 0
  return async () => {
    for (let n = pauses[turn++ % pauses.length] ?? 0; n > 0; n--) await new Promise(setImmediate)
  }
}
