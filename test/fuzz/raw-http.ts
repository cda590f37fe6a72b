import { connect, type Socket } from 'node:net'

/** The response as received. */
export interface RawAnswer {
  /** 0 if the connection ended without a response. */
  readonly status: number
  readonly type: string
  readonly body: string
}

/** A request as bytes. It can contain what no HTTP client would send. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  /** Names and values unchanged, one byte per character. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer | undefined
}

export const bytesOf = ({ method, target, headers, body }: RawRequest): Buffer =>
  Buffer.concat([
    Buffer.from(
      [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join(
        '\r\n',
      ),
      'latin1',
    ),
    body ?? Buffer.alloc(0),
  ])

/**
 * Sends bytes on a new connection and reads until the server closes it, or has started an event stream.
 * @throws Error when neither happens in time
 */
export async function sendBytes(url: string, bytes: Buffer, deadlineMs = 10_000): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    return await answerOn(socket, bytes, deadlineMs)
  } finally {
    socket.destroy()
  }
}

function answerOn(socket: Socket, bytes: Buffer, deadlineMs: number): Promise<RawAnswer> {
  const parts: Buffer[] = []
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const received = () => readAnswer(Buffer.concat(parts))
  const timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
  socket.on('data', (part) => {
    parts.push(part)
    const answer = received()
    if (answer.type.startsWith('text/event-stream')) resolve(answer)
  })
  socket.on('connect', () => socket.write(bytes))
  // A server that has responded may reset the connection instead of reading the rest.
  socket.on('error', () => resolve(received()))
  socket.on('close', () => resolve(received()))
  return promise.finally(() => clearTimeout(timer))
}

/** The final response, after interim ones (100 Continue). */
export function readAnswer(bytes: Buffer): RawAnswer {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const [, status = '0'] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? []
  if (end < 0) return { status: Number(status), type: '', body: '' }
  if (status.startsWith('1')) return readAnswer(bytes.subarray(end + 4))
  const head = text.slice(0, end)
  const [, type = ''] = /^content-type: *(.*)$/im.exec(head) ?? []
  const body = bytes.subarray(end + 4)
  const isChunked = /^transfer-encoding: *chunked/im.test(head)
  return { status: Number(status), type: type.trim(), body: (isChunked ? joined(body) : body).toString() }
}

function joined(chunks: Buffer): Buffer {
  const end = chunks.indexOf('\r\n')
  const length = parseInt(chunks.subarray(0, Math.max(end, 0)).toString(), 16)
  if (!(length > 0)) return Buffer.alloc(0)
  const start = end + 2
  return Buffer.concat([chunks.subarray(start, start + length), joined(chunks.subarray(start + length + 2))])
}
