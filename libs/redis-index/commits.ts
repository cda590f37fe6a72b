import type { Version } from '#domain'

import { type Ask, askItems, type Checked, checkedAsks, writeAsks } from './asks.ts'
import { groupByStream, type StreamEntries, streamItems, writeStreams } from './commit-argument.ts'
import { IndexMismatchError } from './errors.ts'
import type { Guard, IndexEntry, IndexedTerm } from './index-entry.ts'
import { guardedArgument, type IndexParts } from './index-parts.ts'
import {
  firstSegment,
  type IdBlock,
  idBlocks,
  segmentOf,
  segmentOffsets,
  StoredIds,
} from './remembered-ids.ts'
import { checkScript, commitScript, idsScript } from './scripts/commit-scripts.ts'
import { startText } from './term-text.ts'

export interface CommitOptions {
  /** Whether a stream may start with a later version than 1, because the head of its log was deleted. */
  readonly headless?: boolean
  /** Terms that began in this part of the log. */
  readonly starts?: readonly IndexedTerm[]
  /** The ids of events before this offset are not remembered: more recent events will follow. */
  readonly idsFrom?: number
}

/** Implements PartitionIndex.check. */
export async function checkStreams(
  { redis, keys }: IndexParts,
  guard: Guard,
  asks: readonly Ask[],
): Promise<'guard-lost' | readonly Checked[]> {
  const writer = guardedArgument(guard, askItems)
  writeAsks(writer, asks)
  const reply = await redis.run(checkScript, [keys.guard, keys.streams, keys.chunks], writer.finish())
  if (!Array.isArray(reply)) return 'guard-lost'
  const [versions, hits] = reply as [Version[], number[]]
  return checkedAsks(asks, versions, hits)
}

/** Implements PartitionIndex.commit. */
export async function commitEntries(
  parts: IndexParts,
  guard: Guard,
  entries: readonly IndexEntry[],
  nextOffset: number,
  { headless = false, starts = [], idsFrom = 0 }: CommitOptions,
): Promise<'guard-lost' | Guard> {
  const { redis, keys, options } = parts
  const streams = groupByStream(entries)
  // Segments that leave the window with this commit get no ids.
  const from = Math.max(idsFrom, firstSegment(nextOffset, options.rememberedIdsMax) * segmentOffsets)
  const blocks = idBlocks(from === 0 ? entries : entries.filter(({ offset }) => offset >= from))
  const dropped = droppedSegments(guard.nextOffset, nextOffset, options.rememberedIdsMax)
  const full = fullSegments(guard.nextOffset, nextOffset, blocks)
  const segments = [...blocks.map(({ segment }) => segment), ...dropped, ...full]
  const scriptKeys = [keys.guard, keys.streams, keys.chunks, keys.terms, keys.segments]
  const argument = commitArgument(guard, streams, nextOffset, { headless, starts, blocks, dropped })
  const reply = await redis.run(
    commitScript,
    [...scriptKeys, ...segments.map((segment) => keys.segment(segment))],
    argument,
  )
  if (Array.isArray(reply)) throw mismatch(parts, streams, reply as [Buffer, number])
  return reply === 1 ? { ...guard, nextOffset } : 'guard-lost'
}

/** The segments that leave the window with a commit. */
function droppedSegments(before: number, after: number, rememberedIdsMax: number): number[] {
  const from = firstSegment(before, rememberedIdsMax)
  const until = Math.min(firstSegment(after, rememberedIdsMax), segmentOf(before) + 1)
  return Array.from({ length: Math.max(0, until - from) }, (_, index) => from + index)
}

/** The segments that get no ids after this commit. */
function fullSegments(before: number, after: number, blocks: readonly IdBlock[]): number[] {
  if (segmentOf(before) === segmentOf(after)) return []
  const written = new Set([segmentOf(before), ...blocks.map(({ segment }) => segment)])
  return [...written].filter((segment) => segment < segmentOf(after))
}

interface CommitParts {
  readonly headless: boolean
  readonly starts: readonly IndexedTerm[]
  readonly blocks: readonly IdBlock[]
  readonly dropped: readonly number[]
}

function commitArgument(
  guard: Guard,
  streams: readonly StreamEntries[],
  nextOffset: number,
  { headless, starts, blocks, dropped }: CommitParts,
): Buffer {
  const writer = guardedArgument(guard, 6 + streamItems)
  writer.text(String(nextOffset))
  writer.uint32(headless ? 1 : 0)
  writer.texts(starts.flatMap((start) => [String(start.offset), startText(start)]))
  writeStreams(writer, streams)
  writer.texts(blocks.map(({ segment }) => String(segment)))
  writer.array(blocks.length)
  for (const { bytes } of blocks) writer.bytes(bytes)
  writer.texts(dropped.map(String))
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

/** Segments that are asked for at a time: enough that no round trip is waited for, and few enough to bound memory. */
const segmentsAheadMax = 8

/**
 * Implements PartitionIndex.rememberedIds. A script copies what it returns, which takes as long as reading it, so only the last
 * segment is read by one. It checks the guard when all others have been answered: they are right if it holds.
 */
export async function* readIds(parts: IndexParts, guard: Guard): AsyncGenerator<'guard-lost' | StoredIds> {
  const { redis, keys, options } = parts
  const last = segmentOf(guard.nextOffset)
  const asked: Promise<unknown>[] = []
  let next = firstSegment(guard.nextOffset, options.rememberedIdsMax)
  const askNext = () => {
    const reading = redis.call('GET', [keys.segment(next++)])
    reading.catch(() => undefined) // Awaited in its turn.
    asked.push(reading)
  }
  while (next < last || asked.length > 0) {
    while (next < last && asked.length < segmentsAheadMax) askNext()
    yield new StoredIds(((await asked.shift()) ?? Buffer.alloc(0)) as Buffer)
  }
  const argument = guardedArgument(guard, 0).finish()
  const reply = await redis.run(idsScript, [keys.guard, keys.segment(last)], argument)
  yield Buffer.isBuffer(reply) ? new StoredIds(reply) : 'guard-lost'
}
