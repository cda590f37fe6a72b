import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

import type { Problem } from '#event-store'

import { type RefusalCode, refusalProblem } from './request-refusal.ts'

const malformed: [RefusalCode, string] = [
  'request-malformed',
  'its target, headers or body are not written as RFC 9112 says: is what sent it an HTTP client?',
]

const byErrorCode: Readonly<Record<string, [RefusalCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request-timeout',
    'the request was not whole in time: nothing was done; send it again on a connection that lets it through',
  ],
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'the target and headers of a request may have 16 KiB together'],
}

/**
 * Answers what never became a request for a route: bytes that Node's parser refused, or that did not come in time. A problem
 * document, like everything else, and no log line: whoever sends such bytes decides how many there are.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  const answering = answerUnderWay(socket)
  if (answering?.req.complete === true && socket.writable) {
    // A good request came before the garbage: it gets its answer, which is the connection's last.
    answering.once('close', () => socket.destroySoon())
    return
  }
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
    socket.destroy()
    return
  }
  refuseOnSocket(socket, refusalProblem(...(byErrorCode[error.code ?? ''] ?? malformed)))
  socket.destroySoon()
}

/** Writes a problem document as the connection's last answer, where there is no request to answer. */
export function refuseOnSocket(socket: Socket, problem: Problem): void {
  const body = JSON.stringify(problem)
  const { status, retryAfterSeconds } = problem
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(retryAfterSeconds === undefined ? [] : [`retry-after: ${retryAfterSeconds}`]),
    'connection: close',
  ]
  socket.end([...head, '', body].join('\r\n'))
}

/** Node itself looks there, before it writes what would otherwise stand in the middle of another answer. */
const answerUnderWay = (socket: Socket & { _httpMessage?: ServerResponse | null }) => socket._httpMessage
