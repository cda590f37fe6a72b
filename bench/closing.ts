/** Registers a function that {@link withClosing} calls at the end. */
export type Closing = (close: () => unknown) => void

/** Runs something and then closes what it opened, in reverse order, even if it fails. */
export async function withClosing<T>(run: (closing: Closing) => Promise<T>): Promise<T> {
  const closers: (() => unknown)[] = []
  try {
    return await run((close) => closers.push(close))
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
