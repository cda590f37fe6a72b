import {
  defaultRetryPolicy,
  type DomainEvent,
  type RecordedEvent,
  type RetryPolicy,
  withRetry,
} from '#domain'

import type { Delivery } from './delivery.ts'
import { type EventBusCode, EventBusError } from './event-bus-error.ts'
import { ack, type Outcome, stop, skip } from './outcome.ts'

export interface SubscribeOptions {
  /** For reports; default `subscriber-<number>`. */
  readonly name?: string
  /** Events that may wait; default 1,000. */
  readonly queueMax?: number
  /**
   * How long a publish waits while the queue is full before this subscriber is cut off; default 5,000. With 0 it is
   * cut off at once and never delays a publisher.
   */
  readonly roomTimeoutMs?: number
  /** For an event whose handler throws; default {@link defaultRetryPolicy}. */
  readonly retry?: Partial<RetryPolicy>
  /** What happens after all tries failed: the event is skipped (default), or the subscriber stops before it. */
  readonly onError?: 'skip' | 'stop'
}

type EndCode = Extract<EventBusCode, 'stopped' | 'cut-off' | 'not-drained'>

/** `running`, or why it takes no more events. */
export type SubscriberState = 'running' | 'unsubscribed' | EndCode

/** What has happened to the events of a subscriber so far. */
export interface SubscriberStatus {
  readonly name: string
  readonly state: SubscriberState
  readonly waiting: number
  readonly handled: number
  readonly skipped: number
  /**
   * Events that matched and were not handled because the subscriber takes no more. Its `unsubscribe` ends the count.
   */
  readonly dropped: number
}

/** Handles an event and may return an outcome; no return value counts as {@link ack}. */
export type Handler<Event extends DomainEvent = DomainEvent> =
  | ((event: RecordedEvent<Event>) => void | Promise<void>)
  | ((event: RecordedEvent<Event>) => Outcome | undefined | Promise<Outcome | undefined>)

export type Report = (error: EventBusError, event: RecordedEvent, subscriber: SubscriberStatus) => void

interface Item {
  readonly event: RecordedEvent
  readonly delivery: Delivery
}

interface SubscriberSetup extends SubscribeOptions {
  readonly name: string
  readonly matches: (event: RecordedEvent) => boolean
  readonly handler: Handler
  readonly report: Report
}

/** One subscriber: its queue, and the loop that passes its events to the handler one after another. */
export class Subscriber {
  readonly name: string
  readonly matches: (event: RecordedEvent) => boolean
  readonly #handler: Handler
  readonly #report: Report
  readonly #queueMax: number
  readonly #roomTimeoutMs: number
  readonly #retry: RetryPolicy
  readonly #onError: 'skip' | 'stop'
  readonly #queue: Item[] = []
  readonly #watchers = new Set<() => void>()
  readonly #counts = { handled: 0, skipped: 0, dropped: 0 }
  /** The event that the handler has now. */
  #current: Item | undefined
  #looping = false
  /** Why the subscriber ended, until that is reported. */
  #ending: { readonly code: EndCode; readonly reason: string; readonly cause: unknown } | undefined
  #state: SubscriberState = 'running'

  constructor(setup: SubscriberSetup) {
    this.name = setup.name
    this.matches = setup.matches
    this.#handler = setup.handler
    this.#report = setup.report
    this.#queueMax = setup.queueMax ?? 1_000
    this.#roomTimeoutMs = setup.roomTimeoutMs ?? 5_000
    this.#retry = { ...defaultRetryPolicy, ...setup.retry }
    this.#onError = setup.onError ?? 'skip'
  }

  get status(): SubscriberStatus {
    return { name: this.name, state: this.#state, waiting: this.#queue.length, ...this.#counts }
  }

  /** Whether an event can be queued or dropped without waiting. */
  get ready(): boolean {
    return this.#state !== 'running' || this.#queue.length < this.#queueMax
  }

  /** Queues an event that matches. Once the subscriber takes no more, the event is counted as dropped. */
  take(item: Item): void {
    if (this.#state === 'unsubscribed') return
    item.delivery.expect()
    if (this.#state === 'running') {
      this.#queue.push(item)
      void this.#loop()
    } else this.#drop([item])
  }

  /** Like {@link take}, but waits for room. If that takes too long, the subscriber is cut off. */
  async takeWhenReady(item: Item): Promise<void> {
    if (!(await this.#until(() => this.ready, this.#roomTimeoutMs))) {
      this.end('cut-off', `its queue of ${this.#queueMax} events had no room for ${this.#roomTimeoutMs} ms`)
    }
    this.take(item)
  }

  /** Settles once the queue is empty and nothing is being handled. */
  async drained(): Promise<void> {
    await this.#until(() => this.#queue.length === 0 && this.#current === undefined)
  }

  /** Takes no more events. Unhandled ones are dropped. */
  end(code: EndCode, reason: string, cause?: unknown): void {
    if (this.#state !== 'running') return
    const left = this.#leave(code)
    this.#ending = { code, reason, cause }
    this.#drop(left)
  }

  /** Takes no more events at its owner's request. No event counts as missed by it any more. */
  unsubscribe(): void {
    for (const { delivery } of this.#leave('unsubscribed')) delivery.done()
  }

  /** @returns the unhandled events */
  #leave(state: SubscriberState): Item[] {
    const left = this.#queue.splice(0)
    if (this.#current !== undefined) left.unshift(this.#current)
    this.#current = undefined
    this.#state = state
    this.#notify()
    return left
  }

  #drop(items: readonly Item[]): void {
    this.#counts.dropped += items.length
    if (items[0] !== undefined) this.#reportEnd(items[0].event)
    for (const { delivery } of items) delivery.done(this.name)
  }

  /** Reports the first dropped event, with the reason. The later ones are covered by that report. */
  #reportEnd(first: RecordedEvent): void {
    if (this.#ending === undefined) return
    const { code, reason, cause } = this.#ending
    this.#ending = undefined
    const message = `subscriber ${this.name} takes no more events: ${reason}; not handled: ${nameOf(first)} and all later ones`
    this.#sendReport(code, message, first, cause)
  }

  async #loop(): Promise<void> {
    if (this.#looping) return
    this.#looping = true
    // Not within the publisher's call: the synchronous part of a handler would delay the publisher.
    await Promise.resolve()
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      this.#current = item
      this.#notify()
      this.#settle(item, await this.#handle(item.event))
    }
    this.#looping = false
    this.#notify()
  }

  /** All tries of one event. A final error is an outcome as well, with its cause. */
  async #handle(event: RecordedEvent): Promise<Outcome & { readonly cause?: unknown }> {
    let tries = 0
    const isRunning = (): boolean => this.#state === 'running'
    try {
      return await withRetry(this.#retry, isRunning, async () => {
        // It may have ended during the backoff.
        if (!isRunning()) return ack
        tries++
        return (await this.#handler(event)) ?? ack
      })
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause)
      const reason = `its handler failed in all ${tries} tries: ${said}`
      return { ...(this.#onError === 'stop' ? stop(reason) : skip(reason)), cause }
    }
  }

  #settle(item: Item, outcome: Outcome & { readonly cause?: unknown }): void {
    // It ended in the meantime, and the event was counted then.
    if (this.#current !== item) return
    if (outcome.kind === 'stop') {
      this.end('stopped', outcome.reason, outcome.cause)
      return
    }
    this.#current = undefined
    if (outcome.kind === 'ack') this.#counts.handled++
    else this.#skip(item.event, outcome)
    item.delivery.done()
  }

  #skip(
    event: RecordedEvent,
    { reason, cause }: { readonly reason: string; readonly cause?: unknown },
  ): void {
    this.#counts.skipped++
    this.#sendReport('skipped', `subscriber ${this.name} skipped ${nameOf(event)}: ${reason}`, event, cause)
  }

  #sendReport(code: EventBusCode, message: string, event: RecordedEvent, cause: unknown): void {
    const error = new EventBusError(code, message, cause === undefined ? {} : { cause })
    const { status } = this
    // A reporter that throws is a separate fault: it surfaces as an uncaught exception, and the loop continues.
    queueMicrotask(() => this.#report(error, event, status))
  }

  /** @returns false after the time-out */
  #until(holds: () => boolean, timeoutMs?: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    if (timeoutMs === 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const settle = (held: boolean): void => {
        clearTimeout(timer)
        this.#watchers.delete(check)
        resolve(held)
      }
      const check = (): void => {
        if (holds()) settle(true)
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(false), timeoutMs)
      this.#watchers.add(check)
    })
  }

  #notify(): void {
    for (const check of this.#watchers) check()
  }
}

const nameOf = ({ type, streamId, version }: RecordedEvent): string => `${type} (${streamId}, ${version})`
