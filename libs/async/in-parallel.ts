/**
 * Works on all items in order, on at most `atOnceMax` at once. After a failure, or when the signal aborts, it starts no
 * further item and waits for those in progress (p-map rejects while they still run).
 * @param work gets a signal that aborts when the caller's does or another item has failed.
 * @throws the first failure; without one, the reason of the aborted signal.
 */
export async function inParallel<Item>(
  items: Iterable<Item>,
  atOnceMax: number,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const failed = new AbortController()
  const ending = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  const waiting = [...items].values()
  const errors: unknown[] = []
  const worker = async () => {
    for (const item of waiting) {
      if (ending.aborted) return
      await work(item, ending).catch((error: unknown) => {
        errors.push(error)
        failed.abort()
      })
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, worker))
  if (errors.length > 0) throw errors[0]
  signal?.throwIfAborted()
}
