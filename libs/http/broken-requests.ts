import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

import type { Problem } from '#event-store'

import { type RefusalCode, refusalProblem } from './request-refusal.ts'

const malformed: [RefusalCode, string] = [
  'request-malformed',
  'its target, headers or body violate RFC 9112: check that the sender is an HTTP client',
]

const byErrorCode: Readonly<Record<string, [RefusalCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request-timeout',
    'the request was not complete in time: nothing was done; send it again on a faster connection',
  ],
  HPE_HEADER_OVERFLOW: [
    'headers-too-large',
    'the target and headers of a request are limited to 16 KiB together',
  ],
}

/**
 * Answers bytes that never became a request for a route: Node's parser rejected them, or they did not arrive in time.
 * The answer is a problem document, as everywhere. Nothing is logged, because the sender decides how often this
 * happens.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  const answering = answerInProgress(socket)
  if (answering?.req.complete === true && socket.writable) {
    // A valid request came before the garbage. Its answer is the last one on the connection.
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

/** Writes a problem document as the last answer of a connection that has no request to answer. */
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

/** Node checks the same field, so that it does not write into the middle of another answer. */
const answerInProgress = (socket: Socket & { _httpMessage?: ServerResponse | null }) => socket._httpMessage
