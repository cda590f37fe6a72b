import type { NewEvent, RecordedEvent } from './event.ts'
import type { EventId } from './event-id.ts'
import type { Position } from './position.ts'
import type { StreamId } from './stream-id.ts'
import type { ExpectedVersion, Version } from './version.ts'

/** An aggregate's state at a version: a cache, never the truth. */
export interface Snapshot<State = unknown> {
  readonly streamId: StreamId
  readonly version: Version
  /** Raised by the domain module whenever `evolve` gives other states than before; an older one is ignored. */
  readonly stateVersion: number
  readonly state: State
  /** When it was made: ISO 8601, UTC, milliseconds. */
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
  /** Of the last event appended; a token for reading one's own writes. */
  readonly position: Position
  readonly eventIds: readonly EventId[]
  /** The same events were already there: this is the first append's answer, given again. */
  readonly duplicate: boolean
}

export interface LoadOptions {
  /** A snapshot of just this state version may stand in for the events up to it. Without it, no snapshot is used. */
  readonly stateVersion?: number
}

/** What is needed to rebuild an aggregate: at best a snapshot, and the events after it. */
export interface LoadedStream {
  /** The stream's version; 0 where there is no stream. */
  readonly version: Version
  readonly snapshot?: Snapshot
  /** Contiguous, from the snapshot's version + 1. May end before `version` where there are many: read on from there. */
  readonly events: readonly RecordedEvent[]
}

/** Events of one stream, by version and by time. All bounds are inclusive but `until`. */
export interface ReadOptions {
  readonly fromVersion?: Version
  readonly toVersion?: Version
  /** Not before this time: ISO 8601. */
  readonly from?: string
  /** Before this time: ISO 8601. */
  readonly until?: string
  /** Default `forwards`. `backwards` starts at the highest version. */
  readonly direction?: 'forwards' | 'backwards'
  /** Events a page, 1 to 1,000; default 100. */
  readonly limit?: number
}

export interface StreamPage {
  readonly streamId: StreamId
  /** The stream's version now; 0 where there is no stream. */
  readonly version: Version
  readonly events: readonly RecordedEvent[]
  /** Where the next page starts: pass it as `fromVersion` (or, backwards, as `toVersion`). Absent on the last page. */
  readonly next?: Version
}

/** What a repository needs of an event store. The port in libs/event-store is wider. */
export interface AggregateStore {
  /** @throws an error whose `code` is `wrong-expected-version` when another append came first. */
  append(streamId: StreamId, events: readonly NewEvent[], options?: AppendOptions): Promise<AppendResult>
  load(streamId: StreamId, options?: LoadOptions): Promise<LoadedStream>
  read(streamId: StreamId, options?: ReadOptions): Promise<StreamPage>
}

/** Whether an append failed because another one came first. Loading anew and deciding again may succeed. */
export const isConflict = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'wrong-expected-version'
