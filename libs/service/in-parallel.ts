/**
 * Works on all items, in their order, at most so many at once. After a failure, or when the signal aborts, no more are begun, and those
 * under way are waited for.
 * @param work is told by its own signal when to give up: the caller's has aborted, or another item has failed.
 * @throws the first failure; where there was none and the signal has aborted, its reason.
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
