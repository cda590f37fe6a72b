import type {
  AppendOptions,
  AppendResult,
  LoadedStream,
  LoadOptions,
  NewEvent,
  ReadOptions,
  StreamId,
  StreamPage,
  TopicPartition,
} from '#domain'
import type { EventStore, StreamInfo } from '#event-store'

import type { StatePoint, StateAtVersion } from '../writer-api.ts'

/**
 * The owner of a stream, in this process or another. It rejects streams of other owners with `not-owner`. Stream ids are
 * already parsed. With `place`, an owner in this process need not compute the partition again.
 */
export interface StreamOwner extends EventStore {
  append(
    streamId: StreamId,
    events: readonly NewEvent[],
    options?: AppendOptions,
    place?: TopicPartition,
  ): Promise<AppendResult>
  load(streamId: StreamId, options?: LoadOptions, place?: TopicPartition): Promise<LoadedStream>
  read(streamId: StreamId, options?: ReadOptions, place?: TopicPartition): Promise<StreamPage>
  info(streamId: StreamId, place?: TopicPartition): Promise<StreamInfo>
  state(streamId: StreamId, at: StatePoint, place?: TopicPartition): Promise<StateAtVersion>
}
