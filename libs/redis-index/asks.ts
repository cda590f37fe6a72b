import { aggregateIdOf, type EventId, type StreamId, type Version } from '#domain'

import { EventKeyWriter } from './event-key.ts'
import type { MessagePackWriter } from './message-pack.ts'

/** A check's question about a stream: its version, and which of these events it has. */
export interface Ask {
  readonly streamId: StreamId
  readonly eventIds: readonly EventId[]
}

/** The place of an event in its stream and in the log. */
export interface EventPlace {
  readonly version: Version
  readonly offset: number
}

export interface Checked {
  /** The version of each ask's stream; 0 when it does not exist. */
  readonly versions: readonly Version[]
  /** For each ask its remembered ids that are in its stream. */
  readonly known: readonly ReadonlyMap<EventId, EventPlace>[]
}

/** How many items {@link writeAsks} writes. */
export const askItems = 3

/** Writes the argument of checkScript: names, the number of ids of each ask, and all ids concatenated. */
export function writeAsks(writer: MessagePackWriter, asks: readonly Ask[]): void {
  writer.texts(asks.map(({ streamId }) => aggregateIdOf(streamId)))
  writer.numbers(asks.map(({ eventIds }) => eventIds.length))
  writer.array(asks.reduce((sum, { eventIds }) => sum + eventIds.length, 0))
  for (const { streamId, eventIds } of asks) {
    const keys = new EventKeyWriter(writer, aggregateIdOf(streamId))
    for (const id of eventIds) keys.write(id)
  }
}

/** Reads the hits of checkScript: number of the ask, number of the id over all asks, version, offset. */
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
