import type { ServerResponse } from 'node:http'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { subscriberTurns } from '#bounds'

import { problemOf } from './problem-reply.ts'
import type { EndReason, Unread, Waiting } from './unread.ts'
import { watchCaller } from './watch-caller.ts'

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface ServerSentEvent {
  /** What the client sends as Last-Event-ID when it reconnects. */
  readonly id?: string
  readonly event: string
  /** A single line. */
  readonly data: string
}

/** The progress of a subscription that has no event to send. */
export const progressEvent = (cursor: string): ServerSentEvent => ({
  id: cursor,
  event: 'progress',
  data: '{}',
})

/** Interval of the comments that keep the connection alive for both sides. */
const heartbeatMs = 15_000
/** How much is passed to the connection at a time. A larger event is passed alone. */
const chunkCharsMax = 65_536

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Disables buffering in nginx.
  'x-accel-buffering': 'no',
}

/**
 * Sends the events of `open` as server-sent events until the source ends, the client leaves or the server closes; the
 * signal aborts then. The next events are requested when the client has read the previous ones. Events are encoded in
 * turns with those of other subscribers. A client is disconnected when it reads nothing for a minute, or when the
 * unread events of all subscribers exceed the bound and it has waited for the longest time. A source that fails ends
 * the stream with an event `problem`, and so does the end of the caller's credential or rights.
 * The route must have the hook {@link admitSubscriber}.
 */
export async function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncIterable<Iterable<ServerSentEvent>>,
): Promise<void> {
  const response = reply.hijack().raw
  const gone = new AbortController()
  const expiry = watchCaller(request)
  response.on('close', () => {
    gone.abort()
    expiry.stop()
  })
  const signal = AbortSignal.any([gone.signal, request.server.closing, expiry.signal])
  // The connection is used for this stream only, so a closing server does not wait for it after the stream has ended.
  response.writeHead(200, { ...headers, connection: 'close' })
  // Nothing is ever written to a HEAD request, so a client that leaves would go unnoticed.
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  response.write(':\n\n')
  const heartbeat = setInterval(() => !response.writableNeedDrain && response.write(':\n\n'), heartbeatMs)
  const outlet = new Outlet(request, response, signal)
  try {
    for await (const events of open(signal)) await outlet.send(events)
  } catch (error) {
    if (!signal.aborted) response.write(problemFrame(error, request))
  } finally {
    clearInterval(heartbeat)
    expiry.stop()
    if (expiry.signal.aborted) response.write(problemFrame(expiry.signal.reason, request))
    outlet.end()
  }
}

/** The connection of one client, filled no faster than the client reads. */
class Outlet implements Waiting {
  readonly what = 'subscription'
  readonly response: ServerResponse
  readonly #request: FastifyRequest
  readonly #unread: Unread
  readonly #signal: AbortSignal

  constructor(request: FastifyRequest, response: ServerResponse, signal: AbortSignal) {
    this.response = response
    this.#request = request
    this.#unread = request.server.unread
    this.#signal = signal
  }

  /** Resolves when everything is sent except what fits into the connection's buffer. */
  async send(events: Iterable<ServerSentEvent>): Promise<void> {
    const rest = events[Symbol.iterator]()
    for (let hasMore = true; hasMore && !this.#signal.aborted;) {
      hasMore = await subscriberTurns.run(() => this.#writeSome(rest))
      if (this.response.writableNeedDrain) await this.#drained()
    }
  }

  /** Sends nothing more. Data that the client has not read yet has the same time limit as before. */
  end(): void {
    this.response.end()
    if (this.response.writableFinished || this.response.destroyed) return
    this.#unread.add(this, this.response.writableLength)
    this.response.once('close', () => this.#unread.remove(this))
  }

  readonly onEnd = (reason: EndReason): void => {
    this.#request.log.warn(
      { reason, url: this.#request.url, address: this.#request.ip },
      'a subscription was closed because its client does not read; it can resume at its last cursor',
    )
  }

  /** @returns whether there may be more */
  #writeSome(rest: Iterator<ServerSentEvent>): boolean {
    let text = ''
    let hasMore = true
    while (hasMore && text.length < chunkCharsMax) {
      const next = rest.next()
      if (next.done === true) hasMore = false
      else text += frame(next.value)
    }
    if (!this.#signal.aborted) this.response.write(text)
    return hasMore
  }

  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const go = (): void => resolve(undefined)
    this.response.once('drain', go)
    this.#signal.addEventListener('abort', go, { once: true })
    this.#unread.add(this, this.response.writableLength)
    if (!this.response.destroyed) await promise
    this.#unread.remove(this)
    this.response.off('drain', go)
    this.#signal.removeEventListener('abort', go)
  }
}

const frame = ({ id, event, data }: ServerSentEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`

const problemFrame = (error: unknown, request: FastifyRequest): string =>
  frame({ event: 'problem', data: JSON.stringify(problemOf(error, request)) })
