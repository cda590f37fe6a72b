import type { AggregateStore, ReadOptions, RecordedEvent, StreamId, Version } from '#domain'

import { EventStoreError } from './errors.ts'

/**
 * Iterates over the events of a stream, page by page. Forwards, it includes events that are appended before the last page is read.
 * @param options as for `read`; `limit` is the page size and does not limit the total.
 * @throws EventStoreError the errors of `read`; `internal` when a next page does not advance
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
    if (start !== undefined && !isAhead(page.next, start, bound)) throw noProgress(streamId, page.next, start)
    start = page.next
  }
}

/** Prevents an endless loop over a store whose pages do not advance. */
const isAhead = (next: Version, start: Version, bound: 'fromVersion' | 'toVersion'): boolean =>
  bound === 'fromVersion' ? next > start : next < start

const noProgress = (streamId: StreamId, next: Version, start: Version): EventStoreError =>
  new EventStoreError(
    'internal',
    `the store returned version ${next} as the next page of ${streamId} after version ${start}: pages must advance`,
  )
