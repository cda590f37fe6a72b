import { formatTable } from '../table.ts'

/** The figures of one size. Sizes are cumulative: each adds streams to those of the sizes before. */
export interface ScaleFigures {
  readonly streams: number
  /** While the streams of this size were added. */
  readonly appendsPerSecond: number
  /** A stream among the last ones that were appended. */
  readonly hotLoadP50Ms: number
  /** Any stream. */
  readonly coldLoadP50Ms: number
  /** From the fence to serving, when a writer restarts: the mean of the partitions. */
  readonly takeOverMs: number
  readonly redisBytesPerStream: number
  readonly kafkaBytesPerEvent: number
  /** All partitions at once, into an empty index. */
  readonly rebuildMs: number
  /** Of the projector, over the events of this size. */
  readonly projectedPerSecond: number
  /** From the acknowledgement of an append until its event is applied, at a constant rate. */
  readonly lagP50Ms: number
  readonly lagP99Ms: number
}

const header = [
  'streams',
  'appends/s',
  'hot load p50 ms',
  'cold load p50 ms',
  'take-over ms',
  'Redis B/stream',
  'Kafka B/event',
  'index rebuild s',
  'rebuilt/s',
  'projected/s',
  'lag p50 ms',
  'lag p99 ms',
]

export const formatScale = (sizes: readonly ScaleFigures[]): string => formatTable(header, sizes.map(rowOf))

const rowOf = (size: ScaleFigures): readonly string[] => [
  String(size.streams),
  String(Math.round(size.appendsPerSecond)),
  size.hotLoadP50Ms.toFixed(2),
  size.coldLoadP50Ms.toFixed(2),
  size.takeOverMs.toFixed(0),
  size.redisBytesPerStream.toFixed(0),
  size.kafkaBytesPerEvent.toFixed(0),
  (size.rebuildMs / 1_000).toFixed(1),
  String(Math.round((size.streams / size.rebuildMs) * 1_000)),
  String(Math.round(size.projectedPerSecond)),
  size.lagP50Ms.toFixed(1),
  size.lagP99Ms.toFixed(1),
]
