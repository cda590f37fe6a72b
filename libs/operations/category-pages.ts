import { unlessAborted } from '#async'
import type { RecordedEvent } from '#domain'
import { type CategoryQuery, type CategoryReader, pageLimitMax } from '#event-store'

/** The events of an aggregate type up to its end, page by page; fewer when the signal aborts. @throws EventStoreError as `readCategory` does. */
export async function* categoryPages(
  store: Pick<CategoryReader, 'readCategory'>,
  aggregateType: string,
  query: Omit<CategoryQuery, 'cursor' | 'limit'>,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void> {
  const read = (cursor?: string) =>
    store.readCategory(aggregateType, {
      ...query,
      limit: pageLimitMax,
      ...(cursor !== undefined && { cursor }),
    })
  let page = await unlessAborted(signal, read())
  for (;;) {
    if (page === undefined || signal.aborted) return
    // Fetches the next page while the caller uses this one. An error is thrown when the caller asks for that page.
    const next = page.atEnd ? undefined : read(page.cursor)
    next?.catch(() => undefined)
    yield page.events
    if (next === undefined) return
    page = await unlessAborted(signal, next)
  }
}
