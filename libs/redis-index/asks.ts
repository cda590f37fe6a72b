import { aggregateIdOf, type EventId, type StreamId, type Version } from '#domain'

import { EventKeyWriter } from './event-key.ts'
import type { MessagePackWriter } from './message-pack.ts'

/** What a check asks of a stream: its version, and which of these events it has. */
export interface Ask {
  readonly streamId: StreamId
  readonly eventIds: readonly EventId[]
}

/** Where an event is: in its stream and in the log. */
export interface EventPlace {
  readonly version: Version
  readonly offset: number
}

export interface Checked {
  /** Of the stream of each ask; 0 where there is none. */
  readonly versions: readonly Version[]
  /** For each ask those of its ids that are in its stream, as far as they are remembered. */
  readonly known: readonly ReadonlyMap<EventId, EventPlace>[]
}

/** How many items {@link writeAsks} writes. */
export const askItems = 3

/** Writes what checkScript reads: names, how many ids each asks for, and all ids one after the other. */
export function writeAsks(writer: MessagePackWriter, asks: readonly Ask[]): void {
  writer.texts(asks.map(({ streamId }) => aggregateIdOf(streamId)))
  writer.numbers(asks.map(({ eventIds }) => eventIds.length))
  writer.array(asks.reduce((sum, { eventIds }) => sum + eventIds.length, 0))
  for (const { streamId, eventIds } of asks) {
    const keys = new EventKeyWriter(writer, aggregateIdOf(streamId))
    for (const id of eventIds) keys.write(id)
  }
}

/** The hits as checkScript lists them: number of the ask, number of the id over all asks, version, offset. */
export function knownIds(
  asks: readonly Ask[],
  hits: readonly (number | Buffer)[],
): Map<EventId, EventPlace>[] {
  const known = asks.map(() => new Map<EventId, EventPlace>())
  const ids = hits.length === 0 ? [] : asks.flatMap(({ eventIds }) => eventIds)
  for (let at = 0; at < hits.length; at += 4) {
    const [ask = 0, id = 0, version = 0, offset = 0] = hits.slice(at, at + 4).map(Number)
    const eventId = ids[id - 1]
    if (eventId !== undefined) known[ask - 1]?.set(eventId, { version: version as Version, offset })
  }
  return known
}
