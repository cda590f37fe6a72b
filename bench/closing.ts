/** Notes what is to be closed in the end. */
export type Closing = (close: () => unknown) => void

/** Runs something and, whatever becomes of it, closes what it opened: the last first. */
export async function withClosing<T>(run: (closing: Closing) => Promise<T>): Promise<T> {
  const closers: (() => unknown)[] = []
  try {
    return await run((close) => closers.push(close))
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
