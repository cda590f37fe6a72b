import { EventStoreError, InMemoryEventStore } from '#event-store'

import {
  type AggregateStore,
  type AppendOptions,
  type LoadedStream,
  type LoadOptions,
  type NewEvent,
  type ReadOptions,
  Repository,
  type RepositoryOptions,
  type StreamId,
} from '../index.ts'
import { account } from './account.ts'

/** A fault of one append. It runs before the append, and may throw instead of it or execute it first. */
export type AppendFault = (append: () => Promise<unknown>) => Promise<unknown>

/** The in-memory store. It records its calls and injects faults into the next appends. */
export class WatchedStore implements AggregateStore {
  readonly inner: InMemoryEventStore
  readonly calls: string[] = []
  readonly appended: (readonly NewEvent[])[] = []
  readonly faults: AppendFault[] = []

  constructor(eventsPerLoadMax = 1_000) {
    this.inner = new InMemoryEventStore({ eventsPerLoadMax })
  }

  async append(streamId: StreamId, events: readonly NewEvent[], options?: AppendOptions) {
    this.appended.push(events)
    const append = () => this.inner.append(streamId, events, options)
    await this.faults.shift()?.(append)
    return append()
  }

  load(streamId: StreamId, options: LoadOptions = {}): Promise<LoadedStream> {
    this.calls.push(`load ${options.stateVersion ?? 'without snapshot'}`)
    return this.inner.load(streamId, options)
  }

  read(streamId: StreamId, options: ReadOptions = {}) {
    this.calls.push(`read ${options.fromVersion ?? ''}-${options.toVersion ?? ''}`)
    return this.inner.read(streamId, options)
  }
}

export const failing =
  (error: Error): AppendFault =>
  () =>
    Promise.reject(error)

/** The append is executed, but its answer is lost. */
export const answerLost: AppendFault = async (append) => {
  await append()
  throw new EventStoreError('outcome-unknown', 'the connection was cut')
}

/** A repository that records its retry delays instead of waiting. */
export function accountsIn(store: AggregateStore, options: RepositoryOptions = {}) {
  const delaysMs: number[] = []
  const sleep = (delayMs: number) => Promise.resolve(void delaysMs.push(delayMs))
  const retry = { random: () => 0.5, sleep, ...options.retry }
  return Object.assign(new Repository(store, account, { ...options, retry }), { delaysMs })
}
