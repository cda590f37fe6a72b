import { EventStoreError } from '#event-store'

import type { PendingAppend } from './pending-append.ts'

export interface BatchLimits {
  readonly eventsMax: number
  readonly bytesMax: number
}

/** What waits for a partition's next round: in order of arrival, bounded by events. */
export class AppendQueue {
  readonly #eventsMax: number
  #waiting: PendingAppend[] = []
  #events = 0

  /** @param eventsMax events that may wait; beyond it appends are refused at once. */
  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax
  }

  /** Events that wait. */
  get depth(): number {
    return this.#events
  }

  /** @throws EventStoreError `overloaded` when the queue is full. An empty queue takes an append of any size. */
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

  /** Takes the next appends that fit one record batch together. The first always fits: its size was checked before. */
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

  /** Puts back what was taken and not decided, before everything else, in its old order. */
  putBack(appends: readonly PendingAppend[]): void {
    this.#waiting = [...appends, ...this.#waiting]
    this.#events += eventsOf(appends)
  }

  takeAll(): PendingAppend[] {
    return this.#remove(this.#waiting.length)
  }

  /** Takes those whose callers have stopped waiting. */
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
