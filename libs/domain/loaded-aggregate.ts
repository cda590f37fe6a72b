import type { Aggregate } from './aggregate.ts'
import { type StreamId, streamIdOf } from './stream-id.ts'
import { noVersion, type Version } from './version.ts'

/** An aggregate's state at a version. */
export interface LoadedAggregate<State> {
  readonly streamId: StreamId
  /** 0 where there is no stream yet. */
  readonly version: Version
  readonly state: State
}

/** An aggregate before its first event. @throws InvalidInputError when the id is malformed. */
export const newAggregate = <State>(
  aggregate: Pick<Aggregate<State, never, never>, 'type' | 'initialState'>,
  id: string,
): LoadedAggregate<State> => ({
  streamId: streamIdOf(aggregate.type, id),
  version: noVersion,
  state: aggregate.initialState,
})
