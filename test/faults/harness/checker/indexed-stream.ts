import type { IndexedStream, LoggedEvent } from '../history.ts'

/** What the index should have of a stream. @param events of the stream, in order */
export const indexedStream = (streamId: string, events: readonly LoggedEvent[]): IndexedStream => ({
  ...{ streamId, version: events.length },
  offsets: events.map(({ offset }) => offset),
})
