import { eventTopic } from '#domain'
import { reportSafely } from '#observability'

import { type JobControl, noticesTo, type OperationProgress, timed } from '../job-control.ts'
import type { NamedCluster } from '../named-cluster.ts'
import { type OpenReplay, type ReplayConnections, withReplay } from './open-replay.ts'
import type { ReplayEnd } from './replay.ts'
import type { PartitionProgress, ReplayProgress } from './replay-progress.ts'
import type { ReplayRequest } from './replay-request.ts'
import type { LeftOut } from './replay-target.ts'

/**
 * How a replay ended, and its progress. After `interrupted` and `failed` the same request with `resume` continues from the checkpoint.
 * Without a checkpoint, a request that starts at `next` of each partition continues. A replay that was interrupted before it began has
 * no partitions, and has written nothing.
 */
export type ReplayOutcome = ReplayEnd & {
  /** Undefined if the replay was interrupted before it began. */
  readonly cluster: NamedCluster | undefined
  /** The topic that was read. */
  readonly topic: string
  readonly partitions: readonly PartitionProgress[]
  /** The first records that could not be decoded; all are counted. */
  readonly leftOut: readonly LeftOut[]
  readonly counts: Readonly<Record<'read' | 'replayed' | 'leftOut', number>>
  readonly tookMs: number
}

export type ReplayControl = JobControl<'replaying'>

/** The time between two reports of progress. */
const intervalMs = 500

/**
 * Replays events of the log to a stream, a file or another topic. A failure after the first event is an outcome, not an exception.
 * @throws OperationError, LogError, SchemaError, ConfigError, InvalidInputError if it cannot start.
 */
export async function runReplay(
  connections: ReplayConnections,
  request: ReplayRequest,
  control: ReplayControl,
): Promise<ReplayOutcome> {
  const { signal } = control
  try {
    signal.throwIfAborted()
    return await withReplay(connections, request, signal, (opened) => timed(() => runOpened(opened, control)))
  } catch (error) {
    // The reason of the signal ends only the opening. Later an abort is an outcome of the replay itself.
    if (error !== signal.reason) throw error
    return { ...notBegun, topic: eventTopic(request.aggregateType) }
  }
}

const notBegun = {
  status: 'interrupted',
  cluster: undefined,
  partitions: [],
  leftOut: [],
  counts: { read: 0, replayed: 0, leftOut: 0 },
  tookMs: 0,
} as const

async function runOpened(
  opened: OpenReplay,
  control: ReplayControl,
): Promise<Omit<ReplayOutcome, 'tookMs'> & ReplayEnd> {
  const { cluster, topic, progress, warnings } = opened
  const notify = noticesTo(control)
  for (const message of warnings) notify({ kind: 'warning', message })
  const ended = await whileReported(progress, control, () => opened.run(control.signal))
  const { partitions, leftOut } = progress
  const counts = {
    read: progress.sum('read'),
    replayed: progress.sum('replayed'),
    leftOut: progress.sum('leftOut'),
  }
  return { ...ended, cluster, topic, partitions, leftOut, counts }
}

/** Reports progress in offsets, which include a few markers. */
async function whileReported<T>(
  progress: ReplayProgress,
  { onProgress }: ReplayControl,
  run: () => Promise<T>,
): Promise<T> {
  const resumed = placed(progress).done
  const report = (): void => reportSafely(() => onProgress?.({ ...placed(progress), resumed }))
  report()
  const ticking = setInterval(report, intervalMs)
  try {
    return await run()
  } finally {
    clearInterval(ticking)
    report()
  }
}

function placed({ partitions }: ReplayProgress): Omit<OperationProgress<'replaying'>, 'resumed'> {
  const sum = (of: (partition: PartitionProgress) => number): number =>
    partitions.reduce((total, partition) => total + of(partition), 0)
  return {
    ...{ phase: 'replaying', unit: 'offsets' },
    done: sum(({ from, next }) => next - from),
    total: sum(({ from, until }) => until - from),
  }
}
