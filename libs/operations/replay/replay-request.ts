import type { LineFormat } from './event-lines.ts'
import type { Bounds } from './ranges.ts'
import type { ReplayFilter } from './record-filter.ts'

/** Where events are written; `stdout`: to the caller's stream. */
export type Destination =
  | { readonly kind: 'stdout'; readonly format: LineFormat }
  | { readonly kind: 'file'; readonly path: string; readonly format: LineFormat }
  | { readonly kind: 'topic'; readonly name: string; readonly create: boolean }

/** The request of a replay. */
export interface ReplayRequest {
  readonly aggregateType: string
  readonly bounds: Bounds
  readonly filter: ReplayFilter
  readonly destination: Destination
  /** Reads and counts, and writes nothing. */
  readonly dryRun: boolean
  /** Events per second, all partitions together; default: no limit. */
  readonly rate?: number
  /** Partitions that are read at the same time. */
  readonly parallel: number
  /** How long to wait for brokers that do not answer. */
  readonly timeoutMs: number
  readonly skipUnreadable: boolean
  /** Path of the file that stores the progress, so that the replay can be resumed. */
  readonly checkpoint?: string
  /** Resumes from the checkpoint. */
  readonly resume: boolean
  /** Starts from the beginning and replaces file and checkpoint. */
  readonly overwrite: boolean
}

/** The part of a request that must be equal to resume a replay: which events, and where to. */
export function identityOf(request: ReplayRequest, topicId: string): Record<string, unknown> {
  const { aggregateType, bounds, filter, destination } = request
  const identity = {
    aggregateType,
    topicId,
    partitions: bounds.partitions,
    fromOffsets: Object.fromEntries(bounds.fromOffsets),
    untilOffsets: Object.fromEntries(bounds.untilOffsets),
    ...filter,
    destination: destination.kind === 'topic' ? { kind: 'topic', name: destination.name } : destination,
  }
  // The same form as after reading the file.
  return JSON.parse(JSON.stringify(identity)) as Record<string, unknown>
}
