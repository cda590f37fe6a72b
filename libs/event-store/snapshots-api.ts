import type { StreamId, Version } from '#domain'

/** The result of taking a snapshot. */
export interface SnapshotTaken {
  readonly streamId: StreamId
  readonly version: Version
  readonly stateVersion: number
  /** Size of the encoded state. */
  readonly bytes: number
  readonly tookMs: number
  /** False when this version of the stream already had a snapshot. */
  readonly created: boolean
}

/** Statistics on the snapshots of one aggregate type. */
export interface SnapshotStatistics {
  readonly aggregateType: string
  /** Events between two snapshots. */
  readonly every: number
  /** The current state version. Snapshots of other versions are ignored. */
  readonly stateVersion: number
  /** Streams that have a snapshot. */
  readonly count: number
  /** How many of these have another state version. They are ignored, and a cleanup removes them. */
  readonly outdated: number
  /** Total size of the encoded states, before compression by Kafka. */
  readonly bytes: number
  /** When the oldest snapshot was taken: ISO 8601. Absent when there are none. */
  readonly oldest?: string
  /** When the newest snapshot was taken. */
  readonly newest?: string
  /** Snapshots that the answering instance has built since it started. */
  readonly builds: SnapshotBuilds
  readonly rebuild: SnapshotRebuild
}

/** Number and duration of snapshot builds. */
export interface SnapshotBuilds {
  readonly count: number
  /** Mean time to load, fold and encode; 0 when nothing was built. */
  readonly meanMs: number
  readonly maxMs: number
}

/** Progress of a rebuild, counted in offsets. Most offsets are events, a few are markers. */
export interface SnapshotRebuild {
  /** `none`: no rebuild has started since Redis was last empty. */
  readonly status: 'none' | 'running' | 'done'
  /** ISO 8601; absent when there is no rebuild. */
  readonly startedAt?: string
  readonly done: number
  readonly total: number
  /** Offsets per second since the start. */
  readonly rate: number
  /** Estimated time left; absent when there is no progress or nothing is left. */
  readonly etaSeconds?: number
}

/** The result of a cleanup. */
export interface SnapshotCleanup {
  readonly aggregateType: string
  /** Snapshots of other state versions that were removed from the topic. */
  readonly removed: number
}

/**
 * Operations on snapshots: the port behind the HTTP routes and the SDK. All methods reject with EventStoreError:
 * `category-not-found`, `invalid-request` (the aggregate has no snapshots), `not-owner` and `unavailable`.
 */
export interface SnapshotsApi {
  /** Takes a snapshot of the current state of a stream. @throws EventStoreError `stream-not-found`, `invalid-state` */
  snapshot(streamId: StreamId): Promise<SnapshotTaken>
  /** Statistics for each aggregate type with snapshots. Counts may be some seconds old. */
  snapshots(): Promise<readonly SnapshotStatistics[]>
  /** Starts to rebuild the snapshot of every stream with `every` events or more, from its events alone. Runs in the background. */
  rebuildSnapshots(aggregateType: string): Promise<SnapshotRebuild>
  /** Progress of the last rebuild. */
  snapshotRebuild(aggregateType: string): Promise<SnapshotRebuild>
  /** Removes snapshots of other state versions from the topic. */
  cleanUpSnapshots(aggregateType: string): Promise<SnapshotCleanup>
}
