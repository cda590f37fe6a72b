import type { ServerResponse } from 'node:http'

import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'

import { EventStoreError } from '#event-store'

export interface SubscriberBounds {
  /** Live subscriptions at a time. */
  readonly countMax: number
  /** What may wait in the process for subscribers that read slowly, over all of them. */
  readonly bytesMax: number
  /** How long a subscriber may leave what was sent to it unread. */
  readonly stalledMsMax: number
}

/** Why a subscription was ended from this side. */
export type EndReason = 'stalled' | 'bytes'

/** What there is of a subscriber here: its answer, and how to end it. */
export interface Stalled {
  readonly response: ServerResponse
  readonly end: (reason: EndReason) => void
}

const defaults: SubscriberBounds = { countMax: 1_000, bytesMax: 64 << 20, stalledMsMax: 60_000 }

/**
 * The live subscriptions of one server: a bounded number of them, and a bounded number of bytes that wait for those that read
 * slowly. Where these are too many, the one that has not read for longest is ended; its client resumes at its cursor.
 */
export class Subscribers {
  readonly bounds: SubscriberBounds
  readonly #stalled = new Map<Stalled, number>()
  readonly #refused: Counter
  readonly #ended: Counter<'reason'>
  #count = 0
  #unsentBytes = 0

  constructor(registry: Registry, bounds: Partial<SubscriberBounds> = {}) {
    this.bounds = { ...defaults, ...bounds }
    const registers = [registry]
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name: `annals_http_${name}`,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    gauge('subscribers', 'Live subscriptions now', () => this.#count)
    gauge(
      'subscribers_unsent_bytes',
      'Bytes that wait for subscribers that read slowly',
      () => this.#unsentBytes,
    )
    this.#refused = new Counter({
      name: 'annals_http_subscribers_refused_total',
      help: 'Subscriptions refused because there are too many',
      registers,
    })
    this.#ended = new Counter({
      name: 'annals_http_subscribers_ended_total',
      help: 'Subscriptions ended because their client did not read',
      labelNames: ['reason'],
      registers,
    })
    for (const reason of ['stalled', 'bytes'] as const) this.#ended.inc({ reason }, 0)
  }

  /** Counts a subscription until its answer is closed. @throws EventStoreError `overloaded` where there are too many */
  admit(response: ServerResponse): void {
    if (this.#count >= this.bounds.countMax) {
      this.#refused.inc()
      throw new EventStoreError(
        'overloaded',
        `${this.#count} subscriptions are open, which is the bound (ANNALS_SUBSCRIBERS_MAX): try again later, or at another instance`,
        { retryAfterSeconds: 5 },
      )
    }
    this.#count++
    response.once('close', () => this.#count--)
  }

  /** A subscriber has more waiting than its connection takes. May end it, or another one. */
  stalls(subscriber: Stalled): void {
    const bytes = subscriber.response.writableLength
    this.#stalled.set(subscriber, bytes)
    this.#unsentBytes += bytes
    for (const longest of this.#stalled.keys()) {
      if (this.#unsentBytes <= this.bounds.bytesMax) return
      this.flows(longest)
      longest.end('bytes')
    }
  }

  /** It has been sent, or given up. */
  flows(subscriber: Stalled): void {
    this.#unsentBytes -= this.#stalled.get(subscriber) ?? 0
    this.#stalled.delete(subscriber)
  }

  /** Counts one that is ended. */
  ended(reason: EndReason): void {
    this.#ended.inc({ reason })
  }
}

/** A hook for routes of subscriptions: refuses those beyond the bound before anything is done for them. */
export function admitSubscriber(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  request.server.subscribers.admit(reply.raw)
  done()
}
