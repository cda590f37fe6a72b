import { formatPartition, formatPosition, type Projection, type TopicPartition } from '#domain'
import { namedState } from '#event-log'
import type { EventFeed } from '#event-log/records'
import {
  type GenerationInfo,
  type GenerationState,
  isStopped,
  type PartitionInfo,
  type Progress,
  type ProjectionInfo,
} from '#projections'

/** The end offsets of sources, by {@link formatPartition}. */
export type Ends = ReadonlyMap<string, number>

/** Reads the end offsets of sources, without those that wait for an operator. */
export async function endsOf(feed: EventFeed, sources: readonly TopicPartition[]): Promise<Ends> {
  const ends = await Promise.all(
    sources.map(async (it) => [formatPartition(it), await endOf(feed, it)] as const),
  )
  return new Map(ends.flatMap(([source, end]) => (end === undefined ? [] : [[source, end]])))
}

const endOf = (feed: EventFeed, source: TopicPartition): Promise<number | undefined> =>
  feed.endOffset(source).catch((error: unknown) => {
    if (namedState(error) === undefined) throw error
    return undefined
  })

/** The reason why a projection has no views to serve; undefined if it has. */
export function withoutViews({ name }: Projection, states: readonly GenerationState[]): string | undefined {
  const serving = states.find(({ status }) => status === 'serving')
  if (serving === undefined) return `projection ${name} has not been built yet: is a projector running?`
  if (serving.damage === undefined) return undefined
  return `views of projection ${name} are damaged (${serving.damage}): a projector rebuilds them from the log, see GET /projections/${name}`
}

/** The status of a projection for the API. */
export function projectionInfo(
  projection: Projection,
  states: readonly GenerationState[],
  sources: readonly TopicPartition[],
  ends: Ends,
): ProjectionInfo {
  const serving = states.find(({ status }) => status === 'serving')?.id
  return {
    name: projection.name,
    sources: projection.sources,
    keyedBy: projection.keyedBy,
    viewVersion: projection.viewVersion,
    indexes: projection.indexNames,
    ...(serving !== undefined && { serving }),
    generations: states.map((state) => generationInfo(state, sources, ends)),
  }
}

function generationInfo(
  state: GenerationState,
  sources: readonly TopicPartition[],
  ends: Ends,
): GenerationInfo {
  const goals = goalsOf(state, ends)
  return {
    id: state.id,
    status: state.status,
    viewVersion: state.viewVersion,
    createdAt: new Date(state.createdAtMs).toISOString(),
    ...(state.damage !== undefined && { damage: state.damage }),
    views: state.views,
    deadLetters: state.parked,
    progress: progressOf(state, goals),
    partitions: sources.map((source) =>
      partitionInfo(state, source, goals.get(formatPartition(source)) ?? 0),
    ),
  }
}

/** A generation of a past time ends with its range, all others at the end of the log. */
function goalsOf({ until, range }: GenerationState, ends: Ends): Ends {
  if (until === undefined) return ends
  return new Map(Object.entries(range).map(([source, { end }]) => [source, end]))
}

function partitionInfo(state: GenerationState, source: TopicPartition, goal: number): PartitionInfo {
  const checkpoint = checkpointIn(state, formatPartition(source))
  const stop = isStopped(state, formatPartition(source))
    ? state.stops.get(formatPartition(source))
    : undefined
  return {
    topic: source.topic,
    partition: source.partition,
    checkpoint,
    lag: Math.max(0, goal - checkpoint),
    ...(stop && {
      stopped: {
        position: formatPosition(stop.position),
        error: stop.error,
        since: new Date(stop.stoppedAtMs).toISOString(),
      },
    }),
  }
}

function progressOf(state: GenerationState, goals: Ends): Progress {
  const sources = Object.entries(state.range)
  const sum = (valueOf: (source: string, start: number) => number): number =>
    sources.reduce((total, [source, { start }]) => total + Math.max(0, valueOf(source, start) - start), 0)
  const done = sum((source) => checkpointIn(state, source))
  const total = Math.max(
    done,
    sum((source) => goals.get(source) ?? 0),
  )
  const seconds = Math.max(0.001, (Date.now() - state.createdAtMs) / 1_000)
  const rate = Math.round(done / seconds)
  return {
    done,
    total,
    rate,
    ...(done < total && rate > 0 && { etaSeconds: Math.ceil((total - done) / rate) }),
  }
}

/** The next offset that a generation has to apply in a source, by {@link formatPartition}. */
export const checkpointIn = ({ checkpoints, range }: GenerationState, source: string): number =>
  checkpoints.get(source) ?? range[source]?.start ?? 0
