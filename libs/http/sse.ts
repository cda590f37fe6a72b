import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { problemOf } from './problem-reply.ts'

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface ServerSentEvent {
  /** What the client sends as Last-Event-ID when it comes again. */
  readonly id?: string
  readonly event: string
  /** One line. */
  readonly data: string
}

export interface SendEventsOptions {
  /** Between comments that show both sides that the connection lives; default 15 s. */
  readonly heartbeatMs?: number
  /** How long a client may leave its events unread before it is let go; default 60 s. */
  readonly stalledMsMax?: number
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Asks nginx not to hold back what has been sent.
  'x-accel-buffering': 'no',
}

/**
 * Sends what `open` gives as server-sent events, never faster than the client reads, until the source ends, the client
 * leaves or the server closes: then the signal aborts. A source that fails ends the stream with an event `problem`.
 */
export async function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
  options: SendEventsOptions = {},
): Promise<void> {
  const { heartbeatMs = 15_000, stalledMsMax = 60_000 } = options
  const response = reply.hijack().raw
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, request.server.closing])
  // The connection is the stream's alone, so that a closing server has nothing to wait for when the stream has ended.
  response.writeHead(200, { ...headers, connection: 'close' })
  // To HEAD nothing is ever written, so nothing would tell that its client has left.
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  response.write(':\n\n')
  const heartbeat = setInterval(() => !response.writableNeedDrain && response.write(':\n\n'), heartbeatMs)
  try {
    for await (const event of open(signal)) {
      if (!response.write(frame(event))) await drained(response, signal, stalledMsMax)
    }
  } catch (error) {
    if (!signal.aborted) response.write(problemFrame(error, request))
  } finally {
    clearInterval(heartbeat)
    response.end()
  }
}

const frame = ({ id, event, data }: ServerSentEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`

const problemFrame = (error: unknown, request: FastifyRequest): string =>
  frame({ event: 'problem', data: JSON.stringify(problemOf(error, request)) })

async function drained(response: ServerResponse, signal: AbortSignal, timeoutMs: number): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    await once(response, 'drain', { signal: AbortSignal.any([signal, timeout]) })
  } catch (error) {
    if (timeout.aborted) response.destroy()
    throw error
  }
}
