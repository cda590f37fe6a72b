import type { ServerResponse } from 'node:http'

import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'

/** Why a connection was ended: its client read nothing for too long, or too much waited for clients like it. */
export type EndReason = 'stalled' | 'bytes'

export interface UnreadBounds {
  /** What may wait in the process for clients that read slowly, over all of them. */
  readonly bytesMax: number
  /** How long a client may leave unread what waits for it. */
  readonly stalledMsMax: number
}

/** What waits for one client. */
export interface Waiting {
  readonly what: 'answer' | 'subscription'
  readonly response: ServerResponse
  /** Hears of it before the connection is ended. */
  readonly onEnd: (reason: EndReason) => void
}

/** Smaller answers fit into what a connection takes at once. */
const answerBytesMin = 65_536
/** What a client has left when the server closes, which it would hold up. */
const closingMsMax = 1_000

/**
 * What waits in this process because clients read slowly. Where it is too much, the connection that has waited for longest is
 * ended, and each that has waited for too long.
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
      help: 'Bytes that wait in the process for clients that read slowly',
      registers,
      collect() {
        this.set(bytesNow())
      },
    })
    this.#ended = new Counter({
      name: 'annals_http_unread_ended_total',
      help: 'Connections ended because their client did not read',
      labelNames: ['what', 'reason'],
      registers,
    })
    for (const what of ['answer', 'subscription'])
      for (const reason of ['stalled', 'bytes']) this.#ended.inc({ what, reason }, 0)
  }

  /** From now on so many bytes wait. May end this connection, or others. */
  add(waiting: Waiting, bytes: number): void {
    const timer = setTimeout(() => this.#end(waiting, 'stalled'), this.#stalledMsMax)
    this.#waiting.set(waiting, { bytes, timer })
    this.#bytes += bytes
    for (const longest of this.#waiting.keys()) {
      if (this.#bytes <= this.#bounds.bytesMax) return
      this.#end(longest, 'bytes')
    }
  }

  /** They have been read, or given up. */
  remove(waiting: Waiting): void {
    const known = this.#waiting.get(waiting)
    if (known === undefined) return
    this.#waiting.delete(waiting)
    clearTimeout(known.timer)
    this.#bytes -= known.bytes
  }

  /** The server closes: clients that read nothing get a second from now on. */
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

/** Counts whole answers, too, until their clients have read them. */
export function watchAnswers(app: FastifyInstance, unread: Unread): void {
  app.addHook('preClose', (done) => {
    unread.close()
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0
    // One that is closed already closes no second time.
    if (bytes >= answerBytesMin && !reply.raw.destroyed) {
      const onEnd = (reason: EndReason): void =>
        request.log.warn(
          { reason, url: request.url, address: request.ip },
          'a connection is ended: its client does not read its answer',
        )
      const waiting: Waiting = { what: 'answer', response: reply.raw, onEnd }
      unread.add(waiting, bytes)
      reply.raw.once('close', () => unread.remove(waiting))
    }
    done()
  })
}
