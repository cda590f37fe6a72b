import type { Version } from '#domain'

import { type Ask, askItems, type Checked, knownIds, writeAsks } from './asks.ts'
import { groupByStream, type StreamEntries, streamItems, writeStreams } from './commit-argument.ts'
import { IndexMismatchError } from './errors.ts'
import type { Guard, IndexEntry, IndexedTerm } from './index-entry.ts'
import { guardedArgument, type IndexParts } from './index-parts.ts'
import { checkScript, commitScript } from './scripts/commit-scripts.ts'
import { startText } from './term-text.ts'

export interface CommitOptions {
  /** Whether the events enter the tails of their streams. Otherwise the tails are dropped, which makes a rebuild faster. */
  readonly tails?: boolean
  /** Whether a stream may start with a later version than 1, because the head of its log was deleted. */
  readonly headless?: boolean
  /** Terms that began in this part of the log. */
  readonly starts?: readonly IndexedTerm[]
}

/** Implements PartitionIndex.check. */
export async function checkStreams(
  { redis, keys }: IndexParts,
  guard: Guard,
  asks: readonly Ask[],
): Promise<'guard-lost' | Checked> {
  const writer = guardedArgument(guard, askItems)
  writeAsks(writer, asks)
  const reply = await redis.run(checkScript, keys.kept, writer.finish())
  if (!Array.isArray(reply)) return 'guard-lost'
  const [versions, hits] = reply as [Version[], (number | Buffer)[]]
  return { versions, known: knownIds(asks, hits) }
}

/** Implements PartitionIndex.commit. */
export async function commitEntries(
  parts: IndexParts,
  guard: Guard,
  entries: readonly IndexEntry[],
  nextOffset: number,
  { tails = true, headless = false, starts = [] }: CommitOptions,
): Promise<'guard-lost' | Guard> {
  const { redis, keys } = parts
  const streams = groupByStream(entries)
  const tailKeys = streams.map(({ aggregateId }) => keys.tail(aggregateId))
  const argument = commitArgument(parts, guard, streams, nextOffset, { tails, headless, starts })
  const reply = await redis.run(commitScript, [...keys.kept, keys.terms, ...tailKeys], argument)
  if (Array.isArray(reply)) throw mismatch(parts, streams, reply as [Buffer, number])
  return reply === 1 ? { ...guard, nextOffset } : 'guard-lost'
}

function commitArgument(
  { options }: IndexParts,
  guard: Guard,
  streams: readonly StreamEntries[],
  nextOffset: number,
  { tails, headless, starts }: Required<CommitOptions>,
): Buffer {
  const { tailEventsMax, tailTtlSeconds, rememberedIdsMax, now = Date.now } = options
  const writer = guardedArgument(guard, 5 + streamItems)
  writer.text(String(nextOffset))
  writer.uint32(rememberedIdsMax)
  writer.uint32(tailTtlSeconds)
  writer.uint32(headless ? 1 : 0)
  writer.texts(starts.flatMap((start) => [String(start.offset), startText(start)]))
  const notBeforeMs = tails ? now() - tailTtlSeconds * 1_000 : Infinity
  writeStreams(writer, streams, { eventsMax: tailEventsMax, notBeforeMs })
  return writer.finish()
}

function mismatch(
  { options }: IndexParts,
  streams: readonly StreamEntries[],
  [name, version]: [Buffer, number],
): IndexMismatchError {
  const { topic, partition, aggregateType } = options
  const entry = streams.find(({ aggregateId }) => aggregateId === name.toString())?.entries[0]
  return new IndexMismatchError(
    `${topic}[${partition}]: stream ${aggregateType}.${String(name)} is at version ${version} in the index, ` +
      `version ${String(entry?.version)} at offset ${String(entry?.offset)} does not follow it`,
  )
}
