import type { AggregateStore, ReadOptions, RecordedEvent, StreamId } from '#domain'

/**
 * Iterates over the events of a stream, page by page, in the direction asked for. Forwards, it ends where the stream ends when the
 * last page is read, so events appended meanwhile come too.
 * @param options as for `read`; `limit` is the size of a page, not of the whole.
 * @throws EventStoreError whatever `read` rejects with
 */
export async function* readAll(
  store: Pick<AggregateStore, 'read'>,
  streamId: StreamId,
  options: ReadOptions = {},
): AsyncGenerator<RecordedEvent, void, undefined> {
  const bound = options.direction === 'backwards' ? 'toVersion' : 'fromVersion'
  let page = await store.read(streamId, options)
  yield* page.events
  while (page.next !== undefined) {
    page = await store.read(streamId, { ...options, [bound]: page.next })
    yield* page.events
  }
}
