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
 * What a stream's owner answers, in this process or in another. Refuses as `not-owner` what is not its own. Stream ids
 * have been parsed. `place` spares an owner in this process from placing the stream again.
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
