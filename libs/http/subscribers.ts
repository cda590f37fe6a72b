import type { ServerResponse } from 'node:http'

import type { FastifyReply, FastifyRequest } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'

import { EventStoreError } from '#event-store'

/** The bounded number of live subscriptions of one server. */
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
      help: 'Subscriptions rejected because there are too many',
      registers,
    })
  }

  /**
   * Counts a subscription until its response is closed. @throws EventStoreError `overloaded` when there are too many
   */
  admit(response: ServerResponse): void {
    if (this.#count >= this.#countMax) {
      this.#refused.inc()
      throw new EventStoreError(
        'overloaded',
        `${this.#count} subscriptions are open, which is the limit (ANNALS_SUBSCRIBERS_MAX): try again later, or at another instance`,
        { retryAfterSeconds: 5 },
      )
    }
    this.#count++
    response.once('close', () => this.#count--)
  }
}

/** A hook for routes of subscriptions. It rejects those beyond the bound before any work is done for them. */
export function admitSubscriber(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  request.server.subscribers.admit(reply.raw)
  done()
}
