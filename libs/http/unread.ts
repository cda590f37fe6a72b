import type { ServerResponse } from 'node:http'

import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'

/** Why a connection was closed: its client read nothing for too long, or too much data waited for slow readers. */
export type EndReason = 'stalled' | 'bytes'

export interface UnreadBounds {
  /** Bytes that may wait in the process for all slow readers together. */
  readonly bytesMax: number
  /** How long a client may leave its data unread. */
  readonly stalledMsMax: number
}

/** The data that waits for one client. */
export interface Waiting {
  readonly what: 'answer' | 'subscription'
  readonly response: ServerResponse
  /** Called before the connection is closed. */
  readonly onEnd: (reason: EndReason) => void
}

/** Smaller answers fit into the buffer of a connection. */
const answerBytesMin = 65_536
/** How long a closing server waits for a client to read. */
const closingMsMax = 1_000

/**
 * Tracks data that waits in this process for slow readers. When it exceeds the bound, the connection that has waited
 * for the longest time is closed. A connection that has waited for too long is closed in any case.
 */
export class Unread {
  readonly #bounds: UnreadBounds
  readonly #waiting = new Map<Waiting, { readonly bytes: number; readonly timer: NodeJS.Timeout }>()
  readonly #ended: Counter<'what' | 'reason'>
  #bytes = 0
  #stalledMsMax: number

  constructor(registry: Registry, bounds: UnreadBounds) {
    this.#bounds = bounds
    this.#stalledMsMax = bounds.stalledMsMax
    const registers = [registry]
    const bytesNow = (): number => this.#bytes
    new Gauge({
      name: 'annals_http_unread_bytes',
      help: 'Bytes that wait in the process for slow readers',
      registers,
      collect() {
        this.set(bytesNow())
      },
    })
    this.#ended = new Counter({
      name: 'annals_http_unread_ended_total',
      help: 'Connections closed because their client did not read',
      labelNames: ['what', 'reason'],
      registers,
    })
    for (const what of ['answer', 'subscription'])
      for (const reason of ['stalled', 'bytes']) this.#ended.inc({ what, reason }, 0)
  }

  /** Counts further waiting bytes. May close this connection, or others. */
  add(waiting: Waiting, bytes: number): void {
    const timer = setTimeout(() => this.#end(waiting, 'stalled'), this.#stalledMsMax)
    this.#waiting.set(waiting, { bytes, timer })
    this.#bytes += bytes
    for (const longest of this.#waiting.keys()) {
      if (this.#bytes <= this.#bounds.bytesMax) return
      this.#end(longest, 'bytes')
    }
  }

  /** The bytes were read, or given up. */
  remove(waiting: Waiting): void {
    const known = this.#waiting.get(waiting)
    if (known === undefined) return
    this.#waiting.delete(waiting)
    clearTimeout(known.timer)
    this.#bytes -= known.bytes
  }

  /** The server closes: clients that read nothing get one more second. */
  close(): void {
    this.#stalledMsMax = Math.min(closingMsMax, this.#stalledMsMax)
    for (const [waiting, { bytes }] of [...this.#waiting]) {
      this.remove(waiting)
      this.add(waiting, bytes)
    }
  }

  #end(waiting: Waiting, reason: EndReason): void {
    this.remove(waiting)
    this.#ended.inc({ what: waiting.what, reason })
    waiting.onEnd(reason)
    waiting.response.destroy()
  }
}

/** Counts large responses too, until their clients have read them. */
export function watchAnswers(app: FastifyInstance, unread: Unread): void {
  app.addHook('preClose', (done) => {
    unread.close()
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0
    // A response that is closed already emits no further `close`.
    if (bytes >= answerBytesMin && !reply.raw.destroyed) {
      const onEnd = (reason: EndReason): void =>
        request.log.warn(
          { reason, url: request.url, address: request.ip },
          'a connection was closed because its client does not read the response',
        )
      const waiting: Waiting = { what: 'answer', response: reply.raw, onEnd }
      unread.add(waiting, bytes)
      reply.raw.once('close', () => unread.remove(waiting))
    }
    done()
  })
}
