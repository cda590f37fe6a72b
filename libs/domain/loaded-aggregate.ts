import type { Aggregate } from './aggregate.ts'
import { type StreamId, streamIdOf } from './stream-id.ts'
import { noVersion, type Version } from './version.ts'

/** An aggregate's state at a version. */
export interface LoadedAggregate<State> {
  readonly streamId: StreamId
  /** 0 when the stream does not exist yet. */
  readonly version: Version
  readonly state: State
}

/** The state of an aggregate without events. @throws InvalidInputError when the id is malformed. */
export const newAggregate = <State>(
  aggregate: Pick<Aggregate<State, never, never>, 'type' | 'initialState'>,
  id: string,
): LoadedAggregate<State> => ({
  streamId: streamIdOf(aggregate.type, id),
  version: noVersion,
  state: aggregate.initialState,
})
