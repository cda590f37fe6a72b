import {
  eventTopic,
  formatPartition,
  formatPosition,
  project,
  type Projection,
  type RecordedEvent,
  type TopicPartition,
} from '#domain'
import { EventFormat } from '#event-log'
import { type FedEvent, isReadable } from '#event-log/records'
import type { LogReader, StoredRecord, TopicDescription } from '#kafka'
import type { GenerationState } from '#projections'
import type { EventCodec } from '#schemas'

import { type MergedRecord, mergeByTime } from '../merge-by-time.ts'
import type { Look } from './look-at-views.ts'

export interface FoldLogParts {
  readonly reader: LogReader
  readonly codec: EventCodec
  /** Topics by name. */
  readonly topics: ReadonlyMap<string, TopicDescription>
  readonly advance: (events: number) => void
  readonly signal: AbortSignal
}

/** Events folded in one call. Each call copies the map of views. */
const foldEvents = 20_000

/** The views that the log folds to. */
export interface FoldedLog {
  readonly views: ReadonlyMap<string, unknown>
  /** Keys of views that changed while they were read. */
  readonly underWay: ReadonlySet<string>
}

/** Events that the reducers of the projection cannot apply, and that are not set aside. */
export class UnfoldableError extends Error {
  override readonly name = 'UnfoldableError'
}

/**
 * Folds the log up to the checkpoints that a generation had before its views were read. Keys that later events changed are recorded.
 * @throws UnfoldableError; LogError, SchemaError `registry-unreachable`
 */
export async function foldLog(projection: Projection, look: Look, parts: FoldLogParts): Promise<FoldedLog> {
  const underWay = new Set<string>()
  let views = new Map<string, unknown>()
  let waiting: RecordedEvent[] = []
  for await (const event of eventsOf(projection, look, parts)) {
    if (look.parked.has(formatPosition(event.position))) continue
    if (event.position.offset >= checkpointOf(look.before, event.position)) {
      noteKey(projection, event, underWay)
      continue
    }
    waiting.push(event)
    if (waiting.length < foldEvents) continue
    views = folded(projection, views, waiting)
    waiting = []
  }
  return { views: folded(projection, views, waiting), underWay }
}

function folded(
  projection: Projection,
  views: ReadonlyMap<string, unknown>,
  events: readonly RecordedEvent[],
): Map<string, unknown> {
  try {
    return project(projection, views, events)
  } catch (error) {
    const first = events[0]?.position
    const from = first === undefined ? '' : ` the events from ${formatPosition(first)} on`
    throw new UnfoldableError(`the reducers cannot apply${from}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function noteKey(projection: Projection, event: RecordedEvent, keys: Set<string>): void {
  const key = projection.handles(event.type) ? projection.keyOf(event) : undefined
  if (key !== undefined) keys.add(key)
}

/** Events of all sources up to the checkpoints that the generation had after its views were read, oldest first. */
async function* eventsOf(
  projection: Projection,
  { after }: Look,
  { reader, codec, topics, advance, signal }: FoldLogParts,
): AsyncGenerator<RecordedEvent> {
  const sources = sourcesOf(projection, topics)
  const format = new EventFormat(codec)
  const pieces = sources.map((source) => readUpTo(reader, source, checkpointOf(after, source)))
  for await (const merged of mergeByTime(pieces)) {
    if (signal.aborted) return
    advance(merged.length)
    for (const event of await decoded(merged, sources, format)) if (isReadable(event)) yield event
  }
}

const sourcesOf = (projection: Projection, topics: FoldLogParts['topics']): TopicPartition[] =>
  projection.sources.map(eventTopic).flatMap((topic) => {
    const { partitions = 0 } = topics.get(topic) ?? {}
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  })

async function* readUpTo(reader: LogReader, { topic, partition }: TopicPartition, until: number) {
  const from = await reader.startOffset(topic, partition)
  yield* reader.read(topic, partition, { from, until })
}

/** 0 for a generation that has no checkpoint yet. */
const checkpointOf = (state: GenerationState, source: TopicPartition): number =>
  state.checkpoints.get(formatPartition(source)) ?? 0

/** The events of records of several partitions, in the order of the records. */
async function decoded(
  merged: readonly MergedRecord[],
  sources: readonly TopicPartition[],
  format: EventFormat,
): Promise<readonly FedEvent[]> {
  const events = new Map<StoredRecord, FedEvent>()
  for (const [source, group] of Map.groupBy(merged, (it) => it.source)) {
    const { topic, partition } = sources[source] as TopicPartition
    const records = group.map(({ record }) => record)
    const ofGroup = await format.decodeEach(topic, partition, records)
    for (const [index, event] of ofGroup.entries()) events.set(records[index] as StoredRecord, event)
  }
  return merged.map(({ record }) => events.get(record) as FedEvent)
}
