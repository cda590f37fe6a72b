import { EventStoreError } from '#event-store'

import type { PendingAppend } from './pending-append.ts'

export interface BatchLimits {
  readonly eventsMax: number
  readonly bytesMax: number
}

/** The appends that wait for the next round of a partition, in order of arrival, bounded in events. */
export class AppendQueue {
  readonly #eventsMax: number
  #waiting: PendingAppend[] = []
  #events = 0

  /** @param eventsMax events that may wait. Appends beyond it are rejected immediately. */
  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax
  }

  /** Events that wait. */
  get depth(): number {
    return this.#events
  }

  /** @throws EventStoreError `overloaded` when the queue is full. An empty queue accepts an append of any size. */
  add(append: PendingAppend): void {
    if (this.#events > 0 && this.#events + append.events.length > this.#eventsMax) {
      throw new EventStoreError(
        'overloaded',
        `${this.#events} events wait for this partition: try again in a second`,
        { retryAfterSeconds: 1 },
      )
    }
    this.#waiting.push(append)
    this.#events += append.events.length
  }

  /** Takes the next appends that fit into one record batch. The first always fits, because its size was checked before. */
  take({ eventsMax, bytesMax }: BatchLimits): PendingAppend[] {
    let events = 0
    let bytes = 0
    let count = 0
    for (const append of this.#waiting) {
      events += append.events.length
      bytes += append.bytes
      if (count > 0 && (events > eventsMax || bytes > bytesMax)) break
      count++
    }
    return this.#remove(count)
  }

  /** Puts back appends that were taken but not decided, at the front and in their order. */
  putBack(appends: readonly PendingAppend[]): void {
    this.#waiting = [...appends, ...this.#waiting]
    this.#events += eventsOf(appends)
  }

  takeAll(): PendingAppend[] {
    return this.#remove(this.#waiting.length)
  }

  /** Removes the appends whose callers have stopped waiting. */
  takeExpired(nowMs: number): PendingAppend[] {
    const expired = this.#waiting.filter((append) => append.deadlineMs <= nowMs)
    if (expired.length === 0) return expired
    this.#waiting = this.#waiting.filter((append) => append.deadlineMs > nowMs)
    this.#events -= eventsOf(expired)
    return expired
  }

  #remove(count: number): PendingAppend[] {
    const removed = this.#waiting.splice(0, count)
    this.#events -= eventsOf(removed)
    return removed
  }
}

const eventsOf = (appends: readonly PendingAppend[]): number =>
  appends.reduce((sum, append) => sum + append.events.length, 0)
