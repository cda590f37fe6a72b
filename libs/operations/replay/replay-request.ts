import type { LineFormat } from './event-lines.ts'
import type { Bounds } from './ranges.ts'
import type { EventFilter } from './record-filter.ts'

/** Where events go; `stdout`: to the stream of lines that the caller gives. */
export type Destination =
  | { readonly kind: 'stdout'; readonly format: LineFormat }
  | { readonly kind: 'file'; readonly path: string; readonly format: LineFormat }
  | { readonly kind: 'topic'; readonly name: string; readonly create: boolean }

/** A replay as it was asked for. */
export interface ReplayRequest {
  readonly aggregateType: string
  readonly bounds: Bounds
  readonly filter: EventFilter
  readonly destination: Destination
  /** Read and count, and write nothing. */
  readonly dryRun: boolean
  /** Events per second, all partitions together; default: as fast as it goes. */
  readonly rate?: number
  /** Partitions at once. */
  readonly parallel: number
  /** How long brokers may be away. */
  readonly timeoutMs: number
  readonly skipUnreadable: boolean
  /** File that stores the progress, so that the replay can be resumed. */
  readonly checkpoint?: string
  /** Resumes from the checkpoint. */
  readonly resume: boolean
  /** Starts from the beginning and replaces file and checkpoint. */
  readonly overwrite: boolean
}

/** What must be equal for a replay to resume: which events, and where to. */
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
  // As it will come out of the file.
  return JSON.parse(JSON.stringify(identity)) as Record<string, unknown>
}
