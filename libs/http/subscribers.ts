import type { ServerResponse } from 'node:http'

import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'

import { EventStoreError } from '#event-store'

/** The live subscriptions of one server: a bounded number of them. */
export class Subscribers {
  readonly #countMax: number
  readonly #refused: Counter
  #count = 0

  constructor(registry: Registry, countMax: number) {
    this.#countMax = countMax
    const registers = [registry]
    const countNow = (): number => this.#count
    new Gauge({
      name: 'annals_http_subscribers',
      help: 'Live subscriptions now',
      registers,
      collect() {
        this.set(countNow())
      },
    })
    this.#refused = new Counter({
      name: 'annals_http_subscribers_refused_total',
      help: 'Subscriptions refused because there are too many',
      registers,
    })
  }

  /** Counts a subscription until its answer is closed. @throws EventStoreError `overloaded` where there are too many */
  admit(response: ServerResponse): void {
    if (this.#count >= this.#countMax) {
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
}

/** A hook for routes of subscriptions: refuses those beyond the bound before anything is done for them. */
export function admitSubscriber(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  request.server.subscribers.admit(reply.raw)
  done()
}
