import { aggregateIdOf, type StreamId, type Version } from '#domain'

import type { MessagePackWriter } from './message-pack.ts'

/** The place of an event in its stream and in the log. */
export interface EventPlace {
  readonly version: Version
  readonly offset: number
}

/** A check's question about a stream: its version, and at which of these places it has an event. */
export interface Ask {
  readonly streamId: StreamId
  readonly places: readonly EventPlace[]
}

/** The answer to one {@link Ask}. */
export interface Checked {
  /** 0 when the stream does not exist. */
  readonly version: Version
  /** The places of the ask where the stream has an event. An offset is one event. */
  readonly places: readonly EventPlace[]
}

/** How many items {@link writeAsks} writes. */
export const askItems = 4

/** Writes the argument of checkScript: names, the number of places of each ask, then versions and offsets of all places. */
export function writeAsks(writer: MessagePackWriter, asks: readonly Ask[]): void {
  const places = asks.flatMap((ask) => ask.places)
  writer.texts(asks.map(({ streamId }) => aggregateIdOf(streamId)))
  writer.numbers(asks.map((ask) => ask.places.length))
  writer.numbers(places.map(({ version }) => version))
  writer.texts(places.map(({ offset }) => String(offset)))
}

/** @param hits the numbers of the places that were found, from 1, over all asks and in order */
export function checkedAsks(
  asks: readonly Ask[],
  versions: readonly Version[],
  hits: readonly number[],
): Checked[] {
  const found = new Set(hits)
  let number = 0
  return asks.map(({ places }, index) => ({
    version: versions[index] ?? missingAnswer(asks.length, versions.length),
    places: places.filter(() => found.has(++number)),
  }))
}

function missingAnswer(asked: number, answered: number): never {
  throw new Error(`the index returned ${answered} versions for ${asked} streams`)
}
