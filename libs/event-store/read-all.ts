import type { AggregateStore, ReadOptions, RecordedEvent, StreamId, Version } from '#domain'

import { EventStoreError } from './errors.ts'

/**
 * Iterates over the events of a stream, page by page, in the direction asked for. Forwards, it ends where the stream ends when the
 * last page is read, so events appended meanwhile come too.
 * @param options as for `read`; `limit` is the size of a page, not of the whole.
 * @throws EventStoreError whatever `read` rejects with; `internal` when the store's pages do not get ahead
 */
export async function* readAll(
  store: Pick<AggregateStore, 'read'>,
  streamId: StreamId,
  options: ReadOptions = {},
): AsyncGenerator<RecordedEvent, void, undefined> {
  const bound = options.direction === 'backwards' ? 'toVersion' : 'fromVersion'
  let start = options[bound]
  for (;;) {
    const page = await store.read(streamId, start === undefined ? options : { ...options, [bound]: start })
    yield* page.events
    if (page.next === undefined) return
    if (!isAhead(page.next, start, bound)) throw standstill(streamId, page.next)
    start = page.next
  }
}

/** A store that names the same page as the next one again would keep its reader for ever. */
const isAhead = (next: Version, start: Version | undefined, bound: 'fromVersion' | 'toVersion'): boolean =>
  start === undefined || (bound === 'fromVersion' ? next > start : next < start)

const standstill = (streamId: StreamId, next: Version): EventStoreError =>
  new EventStoreError('internal', `the pages of ${streamId} do not get past version ${next}`)
