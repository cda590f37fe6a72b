import { type DomainEvent, InvalidInputError, type RecordedEvent } from '#domain'

import { Delivery, type Published } from './delivery.ts'
import { EventBusError } from './event-bus-error.ts'
import { type EventFilter, matcherOf } from './event-filter.ts'
import {
  type Handler,
  type Report,
  type SubscribeOptions,
  Subscriber,
  type SubscriberStatus,
} from './subscriber.ts'

export interface EventBusOptions {
  /**
   * Called for each event that a subscriber skips, and for the first one that it drops. It gets the error
   * ({@link EventBusError}, with what the handler threw as its cause), the event, and the figures of the subscriber.
   * Later drops are not reported; `status.dropped` counts them.
   */
  readonly onFailure: Report
  /** Publishes that may wait at a time; default 1,000. */
  readonly publishesMax?: number
  /** How long {@link EventBus.close} waits for subscribers to handle queued events; default 10,000. */
  readonly closeTimeoutMs?: number
}

export interface Subscription {
  /**
   * Ends the subscription: neither new nor queued events are handled. It does not wait for the event that the handler
   * has now.
   */
  unsubscribe(): void
  readonly status: SubscriberStatus
}

/**
 * Hands events to subscribers in the same process. Each subscriber has a bounded queue and handles its events one
 * after another, in the order in which they were published. No subscriber waits for the handler of another. Events are
 * shared, so handlers must not change them.
 *
 * A publisher waits while a queue is full. A subscriber whose queue stays full for too long is cut off, so that it
 * delays publishers once and for a bounded time.
 */
export class EventBus {
  readonly #onFailure: Report
  readonly #publishesMax: number
  readonly #closeTimeoutMs: number
  readonly #subscribers = new Set<Subscriber>()
  #subscribed = 0
  #publishes = 0
  /** The previous publish. Publishes run one after another, so that all subscribers see one order. */
  #lane: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: EventBusOptions) {
    this.#onFailure = options.onFailure
    this.#publishesMax = options.publishesMax ?? 1_000
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 10_000
  }

  /**
   * Subscribes to the events that are published from now on.
   * @param handler is done when its promise settles. It may return an outcome; one that throws is called again, with
   * backoff. It may publish, but must not wait for that: the queue that is full may be its own.
   * @throws InvalidInputError when the filter or an option is malformed; EventBusError `closed`
   */
  subscribe<Event extends DomainEvent = DomainEvent>(
    filter: EventFilter<Event>,
    handler: Handler<Event>,
    options: SubscribeOptions = {},
  ): Subscription {
    this.#checkOpen()
    checkRange('queueMax', options.queueMax, 1)
    checkRange('roomTimeoutMs', options.roomTimeoutMs, 0)
    const subscriber = new Subscriber({
      ...options,
      name: options.name ?? `subscriber-${++this.#subscribed}`,
      matches: matcherOf(filter),
      // The filter passes only events of these types. That the caller's union covers them is the caller's
      // responsibility.
      handler: handler as Handler,
      report: this.#onFailure,
    })
    this.#subscribers.add(subscriber)
    const unsubscribe = (): void => {
      this.#subscribers.delete(subscriber)
      subscriber.unsubscribe()
    }
    return {
      unsubscribe,
      get status() {
        return subscriber.status
      },
    }
  }

  /** {@link publishMany} of one event. */
  publish(event: RecordedEvent): Promise<Published> {
    return this.publishMany([event])
  }

  /**
   * Publishes events in this order, with no other events in between.
   * @returns once every matching subscriber has room for each of them; `handled` of the result covers the rest
   * @throws EventBusError `closed` or `busy`: no subscriber received any of the events
   */
  async publishMany(events: readonly RecordedEvent[]): Promise<Published> {
    this.#checkOpen()
    if (this.#publishes >= this.#publishesMax) {
      throw new EventBusError('busy', `${this.#publishes} publishes are waiting already: try again later`)
    }
    this.#publishes++
    const delivery = new Delivery()
    const delivered = this.#lane.then(() => this.#deliver(events, delivery))
    // A failure of these events must not fail the next ones.
    this.#lane = delivered.catch(() => undefined)
    await delivered.finally(() => this.#publishes--)
    return { handled: delivery.handled }
  }

  /** Every subscriber that has not unsubscribed, in the order of subscribing. */
  get subscribers(): readonly SubscriberStatus[] {
    return [...this.#subscribers].map(({ status }) => status)
  }

  /**
   * Takes no more events and lets the subscribers handle those that are queued. Events that are unhandled or waiting
   * when the time is over are dropped and reported. A handler that is still running is not waited for.
   */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const subscribers = [...this.#subscribers]
    const reason = `the event bus was closed, and ${this.#closeTimeoutMs} ms were not enough to handle all queued events`
    // Subscribers that have ended delay neither waiting publishes nor the drain.
    const timer = setTimeout(() => {
      for (const subscriber of subscribers) subscriber.end('not-drained', reason)
    }, this.#closeTimeoutMs)
    await this.#lane
    await Promise.all(subscribers.map((subscriber) => subscriber.drained()))
    clearTimeout(timer)
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return
    throw new EventBusError('closed', 'the event bus is closed: it takes no more events or subscribers')
  }

  async #deliver(events: readonly RecordedEvent[], delivery: Delivery): Promise<void> {
    for (const event of events) {
      const full: Subscriber[] = []
      for (const subscriber of this.#subscribers) {
        if (!subscriber.matches(event)) continue
        if (subscriber.ready) subscriber.take({ event, delivery })
        else full.push(subscriber)
      }
      if (full.length > 0) await Promise.all(full.map((one) => one.takeWhenReady({ event, delivery })))
    }
    delivery.done()
  }
}

/** The largest value that a timer and an array accept. */
const largest = 2 ** 31 - 1

function checkRange(path: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= largest)) return
  throw new InvalidInputError(
    path,
    `${path} is ${value}: expected a whole number from ${least} to ${largest}`,
  )
}
