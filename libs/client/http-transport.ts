import type { Readable } from 'node:stream'

import { Agent, type Dispatcher } from 'undici'

import { type ErrorCode, EventStoreError, fromProblem } from '#event-store'

export interface TransportOptions {
  /** For one request, from its start to the last byte of its answer. Default 5,000. */
  readonly timeoutMs?: number
  /** Sent with every request: authorization, for instance. */
  readonly headers?: Readonly<Record<string, string>>
  /** Kept open to each writer. Default 32. */
  readonly connectionsMax?: number
}

type Method = 'GET' | 'POST' | 'DELETE'

export interface JsonCall<Decoded> {
  readonly method: Method
  readonly url: URL
  /** With its query, from the first slash. */
  readonly path: string
  /** JSON. */
  readonly body?: string
  /** How long the server itself may wait before it answers; comes on top of the time-out. */
  readonly waitMs?: number
  /** What the answer's JSON stands for, undefined where it has no content; throws where it is not what was asked for. */
  readonly decode: (json: unknown) => Decoded
}

export interface StreamCall {
  readonly url: URL
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** A stream that says nothing for longer is taken for dead. */
  readonly silenceMsMax: number
}

interface Answer {
  readonly status: number
  /** Of the header Retry-After; in between there may be proxies that know no problem documents. */
  readonly retryAfter: string | undefined
  readonly text: string
}

/**
 * HTTP over connections that are kept open. Fails with EventStoreError only. One try for each call. By undici's `request`,
 * because that took 64 µs of CPU for client and server together where `fetch` took 250.
 */
export class HttpTransport {
  readonly #timeoutMs: number
  readonly #headers: Readonly<Record<string, string>>
  readonly #agent: Agent
  #closed: Promise<void> | undefined

  constructor({ timeoutMs = 5_000, headers = {}, connectionsMax = 32 }: TransportOptions = {}) {
    this.#timeoutMs = timeoutMs
    this.#headers = headers
    this.#agent = new Agent({
      connections: connectionsMax,
      connectTimeout: timeoutMs,
      keepAliveTimeout: 30_000,
    })
  }

  async json<Decoded>(call: JsonCall<Decoded>): Promise<Decoded> {
    this.#checkOpen()
    const answer = await this.#exchange(call)
    if (answer.status >= 400) throw refusal(answer)
    const { method, url, path, decode } = call
    try {
      return decode(answer.status === 204 ? undefined : JSON.parse(answer.text))
    } catch (error) {
      const code = method === 'GET' ? 'internal' : 'outcome-unknown'
      throw failed(code, method, url, path, 'was not answered as this client understands', error)
    }
  }

  /** The body of an answer that goes on: destroy it, or abort the signal, to leave. */
  async stream(call: StreamCall): Promise<Readable> {
    this.#checkOpen()
    const response = await this.#open(call)
    if (response.statusCode === 200) return response.body
    throw refusal(await readAnswer(response))
  }

  /** Waits for what is under way, then closes the connections. */
  close(): Promise<void> {
    this.#closed ??= this.#agent.close()
    return this.#closed
  }

  #checkOpen(): void {
    if (this.#closed !== undefined)
      throw new EventStoreError('invalid-request', 'this client has been closed')
  }

  async #exchange({ method, url, path, body, waitMs = 0 }: JsonCall<unknown>): Promise<Answer> {
    const timeoutMs = this.#timeoutMs + waitMs
    try {
      const response = await this.#agent.request({
        origin: url.origin,
        path: prefixOf(url) + path,
        method,
        // Servers take changes as JSON only, also those without a body: no page can send that by itself.
        headers: method === 'GET' ? this.#headers : { 'content-type': 'application/json', ...this.#headers },
        body: body ?? null,
        signal: AbortSignal.timeout(timeoutMs),
      })
      return await readAnswer(response)
    } catch (error) {
      throw networkFailure(method, url, path, timeoutMs, error)
    }
  }

  async #open({ url, path, headers, signal, silenceMsMax }: StreamCall): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#agent.request({
        origin: url.origin,
        path: prefixOf(url) + path,
        method: 'GET',
        headers: { accept: 'text/event-stream', ...this.#headers, ...headers },
        headersTimeout: this.#timeoutMs,
        bodyTimeout: silenceMsMax,
        signal,
      })
    } catch (error) {
      throw networkFailure('GET', url, path, this.#timeoutMs, error)
    }
  }
}

function networkFailure(
  method: Method,
  url: URL,
  path: string,
  timeoutMs: number,
  error: unknown,
): EventStoreError {
  const code = method === 'GET' || wasNeverSent(error) ? 'unavailable' : 'outcome-unknown'
  const timedOut = error instanceof Error && error.name === 'TimeoutError'
  const what = timedOut ? `was not answered within ${timeoutMs} ms` : `failed: ${messageOf(error)}`
  return failed(code, method, url, path, what, error)
}

/** Where the server lives under a path of its own, behind a proxy. */
const prefixOf = (url: URL): string => url.pathname.replace(/\/$/, '')

const failed = (code: ErrorCode, method: string, url: URL, path: string, what: string, cause: unknown) =>
  new EventStoreError(code, `${method} ${url.origin}${prefixOf(url)}${path} ${what}`, {}, { cause })

/** Without a connection nothing has been sent; after that, nobody can tell. */
const neverSent: readonly unknown[] = [
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  'UND_ERR_CONNECT_TIMEOUT',
]

const wasNeverSent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && neverSent.includes(error.code)

/** Node's error for several refused addresses has a code, but no message. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}

async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
  const retryAfter = [headers['retry-after']].flat()[0]
  return { status: statusCode, retryAfter, text: await body.text() }
}

function refusal({ status, retryAfter, text }: Answer): EventStoreError {
  const seconds = /^\d{1,4}$/.test(retryAfter ?? '') ? { retryAfterSeconds: Number(retryAfter) } : {}
  const problem = parseJson(text)
  return fromProblem(status, typeof problem === 'object' ? { ...seconds, ...problem } : seconds)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
