import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface BrokenRequest {
  readonly status: number
  readonly statusText: string
  readonly code: string
  readonly title: string
  readonly detail: string
}

const timedOut: BrokenRequest = {
  status: 408,
  statusText: 'Request Timeout',
  code: 'request-timeout',
  title: 'The request did not come to its end',
  detail:
    'the request was not whole in time: nothing was done; send it again on a connection that lets it through',
}
const headersTooLarge: BrokenRequest = {
  status: 431,
  statusText: 'Request Header Fields Too Large',
  code: 'headers-too-large',
  title: 'More headers than this server takes',
  detail: 'the target and headers of a request may have 16 KiB together',
}
const malformed: BrokenRequest = {
  status: 400,
  statusText: 'Bad Request',
  code: 'request-malformed',
  title: 'The request is no HTTP/1.1',
  detail: 'its target, headers or body are not written as RFC 9112 says: is what sent it an HTTP client?',
}

const byErrorCode: Readonly<Record<string, BrokenRequest>> = {
  ERR_HTTP_REQUEST_TIMEOUT: timedOut,
  HPE_HEADER_OVERFLOW: headersTooLarge,
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
  const { statusText, ...broken } = byErrorCode[error.code ?? ''] ?? malformed
  const body = JSON.stringify({ type: `urn:annals:problem:${broken.code}`, ...broken, retry: 'never' })
  const head = [
    `HTTP/1.1 ${broken.status} ${statusText}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.write([...head, '', body].join('\r\n'))
  socket.destroySoon()
}

/** Node itself looks there, before it writes what would otherwise stand in the middle of another answer. */
const answerUnderWay = (socket: Socket & { _httpMessage?: ServerResponse | null }) => socket._httpMessage
