import type { StreamId } from '#domain'
import type { EventStore } from '#event-store'

import type { StateAt, StateAtVersion } from '../writer-api.ts'

/** What can be asked of a stream's owner, in this process or in another. Refuses as `not-owner` what is not its own. */
export interface StreamOwner extends EventStore {
  state(streamId: StreamId, at: StateAt): Promise<StateAtVersion>
}
