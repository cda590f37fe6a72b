import { partitionFor, type StreamId } from '#domain'
import type { LogReader } from '#kafka'

import type { ReplayFilter } from './record-filter.ts'
import { OperationError } from '../operation-error.ts'

/** A part of a topic. All given bounds apply. */
export interface Bounds {
  /** Empty: all. */
  readonly partitions: readonly number[]
  /** First offset by partition. */
  readonly fromOffsets: ReadonlyMap<number, number>
  /** End offset by partition, exclusive. */
  readonly untilOffsets: ReadonlyMap<number, number>
}

/** A part of one partition: offsets from `from` to `until`, exclusive. */
export interface ReplayRange {
  readonly partition: number
  readonly from: number
  readonly until: number
}

interface Source {
  readonly reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'offsetForTime'>
  readonly topic: string
  /** Number of partitions of the topic. */
  readonly partitions: number
}

/**
 * The range to read of each partition. The default end is the current end of the log.
 * @throws OperationError `offset-out-of-range`, naming the existing range; LogError.
 */
export function rangesOf(
  source: Source,
  bounds: Bounds,
  { streamId, fromMs }: Pick<ReplayFilter, 'streamId' | 'fromMs'>,
): Promise<ReplayRange[]> {
  const named = [...bounds.partitions, ...bounds.fromOffsets.keys(), ...bounds.untilOffsets.keys()]
  for (const partition of named) checkPartition(source, partition, streamId)
  const all =
    streamId === undefined ? countTo(source.partitions) : [partitionFor(streamId, source.partitions)]
  const isWanted = (partition: number) =>
    bounds.partitions.length === 0 || bounds.partitions.includes(partition)
  const wanted = all.filter(isWanted)
  return Promise.all(wanted.map((partition) => rangeOf(source, partition, bounds, fromMs)))
}

async function rangeOf(
  { reader, topic }: Source,
  partition: number,
  { fromOffsets, untilOffsets }: Bounds,
  fromMs: number | undefined,
): Promise<ReplayRange> {
  const [start, end] = await Promise.all([
    reader.startOffset(topic, partition),
    reader.endOffset(topic, partition),
  ])
  const check = (option: string, offset: number | undefined): void => {
    if (offset === undefined || (offset >= start && offset <= end)) return
    throw outOfRange(
      `${option} ${partition}:${offset}: partition ${partition} of ${topic} has offsets from ${start} to ${end}, exclusive`,
    )
  }
  check('--from-offset', fromOffsets.get(partition))
  check('--until-offset', untilOffsets.get(partition))
  const until = untilOffsets.get(partition) ?? end
  const since = fromMs === undefined ? start : await reader.offsetForTime(topic, partition, fromMs)
  const from = Math.max(fromOffsets.get(partition) ?? start, since)
  return { partition, from: Math.min(from, until), until }
}

const countTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index)

function checkPartition(
  { topic, partitions }: Source,
  partition: number,
  streamId: StreamId | undefined,
): void {
  if (partition >= partitions) {
    throw outOfRange(`partition ${partition} does not exist: ${topic} has partitions 0 to ${partitions - 1}`)
  }
  const own = streamId === undefined ? partition : partitionFor(streamId, partitions)
  if (own !== partition)
    throw outOfRange(`${streamId ?? ''} is in partition ${own} of ${topic}, not in ${partition}`)
}

const outOfRange = (message: string): OperationError => new OperationError('offset-out-of-range', message)
