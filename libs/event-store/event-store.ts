import type { AggregateStore, Snapshot, StreamId, Version } from '#domain'

/** The current state of a stream. */
export interface StreamInfo {
  readonly streamId: StreamId
  readonly version: Version
  /** Version of the latest snapshot; absent when there is none. */
  readonly snapshotVersion?: Version
  /** Timestamp of the first event: ISO 8601. */
  readonly firstTimestamp: string
  /** Timestamp of the last event: ISO 8601. */
  readonly lastTimestamp: string
}

/**
 * The port of an event store. Every implementation passes testing/event-store.contract.ts.
 *
 * An append is atomic: all of its events get contiguous versions, or none is stored. Each event has an id. If all ids of an
 * append are already in the stream, the first answer is returned again (`duplicate`), regardless of the expected version. If
 * only some are, the append is rejected (`partial-duplicate`). All methods reject with {@link EventStoreError}.
 */
export interface EventStore extends AggregateStore {
  /** Version and times of a stream. @throws EventStoreError `stream-not-found` */
  info(streamId: StreamId): Promise<StreamInfo>
}

/** Stores snapshots. A snapshot that is older than the stored one is ignored. */
export interface SnapshotStore {
  saveSnapshot(snapshot: Snapshot): Promise<void>
}
