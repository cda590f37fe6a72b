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
   * Hears of every event that a subscriber asked for and did not handle: the error ({@link EventBusError}, what the
   * handler threw as its cause), the event, and the subscriber's figures. One report stands for all events that are
   * dropped at once; their number is in its text.
   */
  readonly onFailure: Report
  /** Publishes that may wait at once; default 1,000. */
  readonly publishesMax?: number
  /** How long {@link EventBus.close} lets subscribers handle what waits; default 10,000. */
  readonly closeTimeoutMs?: number
}

export interface Subscription {
  /** No further event comes: neither new ones nor those that waited. The one that the handler has now is not waited for. */
  unsubscribe(): void
  readonly status: SubscriberStatus
}

/**
 * Hands events to subscribers in the same process. Each has a bounded queue of its own and handles its events one after
 * another, in the order in which they were published; none waits for another one's handler. Events are shared: handlers do not
 * change them.
 *
 * A publisher waits for room in full queues. A subscriber that has no room for too long is cut off, so that it holds
 * up publishers for a bounded time, once.
 */
export class EventBus {
  readonly #onFailure: Report
  readonly #publishesMax: number
  readonly #closeTimeoutMs: number
  readonly #subscribers = new Set<Subscriber>()
  #subscribed = 0
  #publishes = 0
  /** The publish before: one is done after the other, so that all subscribers see one order. */
  #lane: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: EventBusOptions) {
    this.#onFailure = options.onFailure
    this.#publishesMax = options.publishesMax ?? 1_000
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 10_000
  }

  /**
   * Subscribes to the events that are handed out from now on.
   * @param handler is done when its promise settles. It may return an outcome; one that throws is called again, with backoff. It
   * may publish, but must not wait for that: the room waited for may be its own.
   * @throws InvalidInputError when the filter or an option is malformed; EventBusError `closed`.
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
      // The filter lets only events of these types through; that there are no others of their names is the caller's word.
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
   * Publishes events, in this order, without others in between.
   * @returns once each of them has room with every subscriber that asks for it; `handled` of the answer tells the rest.
   * @throws EventBusError `closed`, `busy`: then nobody got any of them.
   */
  async publishMany(events: readonly RecordedEvent[]): Promise<Published> {
    this.#checkOpen()
    if (this.#publishes >= this.#publishesMax) {
      throw new EventBusError('busy', `${this.#publishes} publishes wait for room already: try again later`)
    }
    this.#publishes++
    const delivery = new Delivery()
    const delivered = this.#lane.then(() => this.#deliver(events, delivery))
    // What is wrong with these events must not be the next ones' fate.
    this.#lane = delivered.catch(() => undefined)
    await delivered.finally(() => this.#publishes--)
    return { handled: delivery.handled }
  }

  /** Every subscriber that has not unsubscribed, in the order of subscribing. */
  get subscribers(): readonly SubscriberStatus[] {
    return [...this.#subscribers].map(({ status }) => status)
  }

  /**
   * Takes no more events, and lets the subscribers handle what waits. What is not handled when the time for it is over,
   * or waits for room then, is dropped and reported; a handler that still runs is not waited for.
   */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const subscribers = [...this.#subscribers]
    const reason = `the event bus was closed, and ${this.#closeTimeoutMs} ms were not enough for what waited`
    // Subscribers that have ended hold up neither the publishes that still wait nor the drain.
    const timer = setTimeout(() => {
      for (const subscriber of subscribers) subscriber.end('not-drained', reason)
    }, this.#closeTimeoutMs)
    await this.#lane
    await Promise.all(subscribers.map((subscriber) => subscriber.drained()))
    clearTimeout(timer)
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return
    throw new EventBusError('closed', 'the event bus is closed: it takes no more events and subscribers')
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

/** What a timer and an array can hold. */
const largest = 2 ** 31 - 1

function checkRange(path: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= largest)) return
  throw new InvalidInputError(
    path,
    `${path} is ${value}: expected a whole number from ${least} to ${largest}`,
  )
}
