import type { NewEvent, RecordedEvent } from './event.ts'
import type { EventId } from './event-id.ts'
import type { Position } from './position.ts'
import type { StreamId } from './stream-id.ts'
import type { ExpectedVersion, Version } from './version.ts'

/** An aggregate's state at a version. It is a cache: the events are the source of truth. */
export interface Snapshot<State = unknown> {
  readonly streamId: StreamId
  readonly version: Version
  /** The `stateVersion` of the aggregate that folded it. A snapshot of any other state version is ignored. */
  readonly stateVersion: number
  readonly state: State
  /** When it was taken: ISO 8601, UTC, milliseconds. */
  readonly timestamp: string
}

export interface AppendOptions {
  /** Default `any`. */
  readonly expectedVersion?: ExpectedVersion
}

export interface AppendResult {
  readonly streamId: StreamId
  readonly firstVersion: Version
  readonly lastVersion: Version
  /** Position of the last event appended. Pass it to a projection to read your own writes. */
  readonly position: Position
  readonly eventIds: readonly EventId[]
  /** True when the events were already in the stream. The other fields repeat the answer to the first append. */
  readonly duplicate: boolean
}

export interface LoadOptions {
  /** Allows a snapshot of exactly this state version to replace the events before it. Without it, no snapshot is used. */
  readonly stateVersion?: number
}

/** The data to rebuild an aggregate from: a snapshot, if there is one, and the events after it. */
export interface LoadedStream {
  /** The stream's version; 0 when the stream does not exist. */
  readonly version: Version
  readonly snapshot?: Snapshot
  /** Contiguous, from the snapshot's version + 1. A long stream may be cut before `version`: read the rest with `read`. */
  readonly events: readonly RecordedEvent[]
}

/** Selects events of one stream by version and by time. All bounds are inclusive except `until`. */
export interface ReadOptions {
  readonly fromVersion?: Version
  readonly toVersion?: Version
  /** Only events at or after this time: ISO 8601. */
  readonly from?: string
  /** Only events before this time: ISO 8601. */
  readonly until?: string
  /** Default `forwards`. `backwards` starts at the highest version. */
  readonly direction?: 'forwards' | 'backwards'
  /** Events per page, 1 to 1,000; default 100. */
  readonly limit?: number
}

export interface StreamPage {
  readonly streamId: StreamId
  /** The stream's current version; 0 when the stream does not exist. */
  readonly version: Version
  readonly events: readonly RecordedEvent[]
  /** Start of the next page: pass it as `fromVersion`, or as `toVersion` when reading backwards. Absent on the last page. */
  readonly next?: Version
}

/** The part of an event store that a repository needs. The port in libs/event-store extends it. */
export interface AggregateStore {
  /** @throws an error whose `code` is `wrong-expected-version` when another append came first. */
  append(streamId: StreamId, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>
  load(streamId: StreamId, options?: LoadOptions): Promise<LoadedStream>
  read(streamId: StreamId, options?: ReadOptions): Promise<StreamPage>
}

/** Whether an append failed because another append came first. Loading again and deciding again may succeed. */
export const isConflict = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'wrong-expected-version'
