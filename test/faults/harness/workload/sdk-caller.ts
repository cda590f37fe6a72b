import { AnnalsClient, type ClientOptions } from '#client'
import {
  type AppendResult,
  type ExpectedVersion,
  type NewEvent,
  position,
  type StreamId,
  type Version,
} from '#domain'
import { EventStoreError } from '#event-store'

import type { AppendOperation, ReadOperation, StateOperation, Unknown, ViewOperation } from '../history.ts'
import {
  type AppendRequest,
  type Caller,
  callMsMax,
  failedAppend,
  pageEvents,
  tokenMsMax,
  type ViewRequest,
} from './caller.ts'

/** Uses the SDK as services do, except for its retries: the workload does them. */
export class SdkCaller implements Caller {
  readonly #client: AnnalsClient

  constructor(options: Pick<ClientOptions, 'urls' | 'projectionUrls' | 'direct' | 'timeoutMs'>) {
    this.#client = new AnnalsClient({ timeoutMs: callMsMax, ...options, retries: { triesMax: 1 } })
  }

  async append(requests: readonly AppendRequest[]): Promise<readonly AppendOperation['outcome'][]> {
    const answers = await this.#client.appendMany(requests.map(branded))
    return answers.map((answer) => {
      if (!(answer instanceof EventStoreError)) return acknowledged(answer)
      return failedAppend(answer.code, answer.details.actual)
    })
  }

  async read(streamId: string, fromVersion: number): Promise<ReadOperation['outcome']> {
    return orUnknown(async () => {
      const recorded = await Array.fromAsync(
        this.#client.readAll(streamId, { fromVersion: fromVersion as Version, limit: pageEvents }),
      )
      return { is: 'answered', events: recorded.map((event) => ({ version: event.version, id: event.id })) }
    })
  }

  async state(streamId: string): Promise<StateOperation['outcome']> {
    return orUnknown(async () => {
      try {
        const found = await this.#client.state(streamId)
        return { is: 'answered', version: found.version, state: found.state }
      } catch (error) {
        if (codeOf(error) === 'stream-not-found') return { is: 'answered', version: 0, state: null }
        throw error
      }
    })
  }

  async view({ projection, key, after }: ViewRequest): Promise<ViewOperation['outcome']> {
    const options = after && {
      after: position(after.topic, after.partition, after.offset),
      timeoutMs: tokenMsMax,
    }
    return orUnknown(async () => {
      const found = await this.#client.projection(projection).get(key, options)
      return { is: 'answered', view: found?.view ?? null }
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** The same values with the SDK's types; the SDK checks them itself. */
const branded = ({ streamId, expectedVersion, events }: AppendRequest) => ({
  streamId: streamId as StreamId,
  expectedVersion: expectedVersion as ExpectedVersion,
  events: events as readonly NewEvent[],
})

const acknowledged = (result: AppendResult): AppendOperation['outcome'] => ({
  is: 'acknowledged',
  firstVersion: result.firstVersion,
  lastVersion: result.lastVersion,
  position: result.position,
  eventIds: result.eventIds,
  duplicate: result.duplicate,
})

async function orUnknown<Outcome>(ask: () => Promise<Outcome>): Promise<Outcome | Unknown> {
  try {
    return await ask()
  } catch (error) {
    return { is: 'unknown', code: codeOf(error) }
  }
}

const codeOf = (error: unknown): string =>
  error instanceof EventStoreError ? error.code : `harness: ${String(error)}`
