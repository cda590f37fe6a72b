import type { AggregateStore, Snapshot, StreamId, Version } from '#domain'

export interface StreamInfo {
  readonly streamId: StreamId
  readonly version: Version
  readonly snapshotVersion?: Version
  /** Timestamp of the first event: ISO 8601. */
  readonly firstTimestamp: string
  readonly lastTimestamp: string
}

/**
 * The port. Every store passes testing/event-store.contract.ts.
 *
 * An append is atomic: all of its events get contiguous versions, or none is there. Each event has an id. An append all of
 * whose ids are already in the stream is answered as the first time (`duplicate`), whatever version it expects; one with
 * only some of them is refused (`partial-duplicate`). All methods reject with {@link EventStoreError}.
 */
export interface EventStore extends AggregateStore {
  /** @throws EventStoreError `stream-not-found` */
  info(streamId: StreamId): Promise<StreamInfo>
}

/** Where snapshots are kept. An older one than the stored one is ignored. */
export interface SnapshotStore {
  saveSnapshot(snapshot: Snapshot): Promise<void>
}
