import { setTimeout as pause } from 'node:timers/promises'

import type { AppendResult, StreamId } from '#domain'
import { type EventStore, EventStoreError } from '#event-store'

import { expectAcknowledged, expectSound, type LoggedPartition } from './log-check.ts'
import { waitFor } from '../stack/stack.ts'
import { freshStream, purchase } from '../services/writer-fixture.ts'

type Appender = Pick<EventStore, 'append'>

/** How long a stopping caller may retry its last append. */
const lastTriesMs = 20_000

/**
 * Callers that append one event after another to shared streams. Each retries an append with an unknown outcome, with the same
 * ids, until it is answered.
 */
export class Traffic {
  readonly acknowledged: AppendResult[] = []
  /** Retries by error code. */
  readonly retries = new Map<string, number>()
  readonly streams: readonly StreamId[]
  readonly #callers: Promise<void>[]
  #triesUntilMs = Infinity

  constructor(
    store: Appender,
    types: readonly string[],
    {
      callers = 8,
      streamsPerType = 12,
    }: { readonly callers?: number; readonly streamsPerType?: number } = {},
  ) {
    this.streams = types.flatMap((type) => Array.from({ length: streamsPerType }, () => freshStream(type)))
    this.#callers = Array.from({ length: callers }, (_, caller) => this.#call(store, caller))
  }

  /** Waits until this many more appends are acknowledged. */
  async waitForMore(appends = 50, timeoutMs = 30_000): Promise<void> {
    const goal = this.acknowledged.length + appends
    await waitFor(`${appends} more appends`, () => Promise.resolve(this.acknowledged.length >= goal), {
      timeoutMs,
    })
  }

  /** Stops the callers after each has the answer to its last append. @throws the last error of a caller without an answer. */
  async stop(): Promise<void> {
    this.#triesUntilMs = Math.min(this.#triesUntilMs, performance.now() + lastTriesMs)
    await Promise.all(this.#callers)
  }

  /** Expects that every acknowledged event is in the log at its place, and that the log has no other events of these streams. */
  expectWhole(log: readonly LoggedPartition[]): void {
    expectSound(log)
    expectAcknowledged(log, this.acknowledged)
    const ids = this.acknowledged.flatMap(({ eventIds }) => eventIds)
    const own = new Set<StreamId>(this.streams)
    const logged = log.flatMap(({ events }) => events.filter(({ streamId }) => own.has(streamId)))
    if (logged.length !== ids.length)
      throw new Error(`${logged.length} events are in the log, ${ids.length} were acknowledged`)
  }

  async #call(store: Appender, caller: number): Promise<void> {
    for (let round = 0; this.#triesUntilMs === Infinity; round++) {
      const streamId = this.streams[(caller * 7 + round) % this.streams.length] as StreamId
      this.acknowledged.push(await this.#settled(store, streamId))
    }
  }

  async #settled(store: Appender, streamId: StreamId): Promise<AppendResult> {
    const events = [purchase()]
    for (;;) {
      try {
        return await store.append(streamId, events)
      } catch (error) {
        if (!(error instanceof EventStoreError) || error.retry !== 'same-ids') throw error
        if (performance.now() > this.#triesUntilMs) throw error
        this.retries.set(error.code, (this.retries.get(error.code) ?? 0) + 1)
        // A retry delay, not a wait for a condition.
        await pause(50)
      }
    }
  }
}
