import type { StreamId, Version } from '#domain'

/** A snapshot that was asked for. */
export interface SnapshotTaken {
  readonly streamId: StreamId
  readonly version: Version
  readonly stateVersion: number
  /** Of the state, encoded. */
  readonly bytes: number
  readonly tookMs: number
  /** False where this version of the stream had its snapshot already. */
  readonly created: boolean
}

/** What there is of snapshots of one aggregate type. */
export interface SnapshotStatistics {
  readonly aggregateType: string
  /** Events between two snapshots. */
  readonly every: number
  /** Only snapshots of this state version count. */
  readonly stateVersion: number
  /** Streams that have a snapshot. */
  readonly count: number
  /** Of these, the ones of other state versions: ignored, and taken away by a cleanup. */
  readonly outdated: number
  /** Of all states together, encoded, before Kafka compresses them. */
  readonly bytes: number
  /** When the oldest and the newest were taken: ISO 8601. Absent where there is none. */
  readonly oldest?: string
  readonly newest?: string
  /** What the instance that answered has built since it started. */
  readonly builds: SnapshotBuilds
  readonly rebuild: SnapshotRebuild
}

export interface SnapshotBuilds {
  readonly count: number
  /** Of loading, folding and encoding; 0 where nothing was built. */
  readonly meanMs: number
  readonly maxMs: number
}

/** How far a rebuild is. Counted in offsets: events, and now and then a marker. */
export interface SnapshotRebuild {
  /** `none`: there has been none since Redis was last empty. */
  readonly status: 'none' | 'running' | 'done'
  /** ISO 8601; absent where there is none. */
  readonly startedAt?: string
  readonly done: number
  readonly total: number
  /** Per second since it started. */
  readonly rate: number
  /** Absent where nothing moves, or nothing is left. */
  readonly etaSeconds?: number
}

/** What a cleanup did. */
export interface SnapshotCleanup {
  readonly aggregateType: string
  /** Snapshots of other state versions that were taken out of the topic. */
  readonly removed: number
}

/**
 * What operators can do with snapshots: the port that HTTP serves and the SDK offers. All methods reject with EventStoreError:
 * `category-not-found`, `invalid-request` (the aggregate has no snapshots), `not-owner` and `unavailable`.
 */
export interface SnapshotsApi {
  /** Takes a snapshot of a stream as it stands. @throws EventStoreError `stream-not-found`, `invalid-state` */
  snapshot(streamId: StreamId): Promise<SnapshotTaken>
  /** Of each aggregate type that has snapshots. Counts may be some seconds old. */
  snapshots(): Promise<readonly SnapshotStatistics[]>
  /** Has every stream of `every` events or more get a new snapshot, folded from its events alone. Goes on in the background. */
  rebuildSnapshots(aggregateType: string): Promise<SnapshotRebuild>
  snapshotRebuild(aggregateType: string): Promise<SnapshotRebuild>
  /** Takes snapshots of other state versions out of the topic. */
  cleanUpSnapshots(aggregateType: string): Promise<SnapshotCleanup>
}
