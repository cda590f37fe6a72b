import type { Readable } from 'node:stream'

import { Agent, type Dispatcher } from 'undici'

import { deadlineIn, within } from '#async'
import { type ErrorCode, EventStoreError, fromProblem } from '#event-store'

import { BearerToken, exposed, type TokenOptions } from './bearer-token.ts'
import { jsonOrUndefined } from './json-or-undefined.ts'
import { type ClientTlsOptions, connectorOf, tlsProblemOf, wasNeverSent } from './tls-options.ts'

/** Options of the HTTP connections. */
export interface TransportOptions extends TokenOptions {
  /** Time limit of one request, including its response. Default 5,000. */
  readonly timeoutMs?: number
  /** Authorities to trust, and a client certificate, for URLs that begin with https. New ones need a new client. */
  readonly tls?: ClientTlsOptions
  /**
   * Called before each request for headers of that request alone, e.g. a token that is valid once.
   * @param url of the server
   */
  readonly headersFor?: (url: URL) => Promise<Readonly<Record<string, string>>>
  /** Maximum number of open connections to each server. Default 32. */
  readonly connectionsMax?: number
  /** Connections that several clients share. Their owner closes them. Default: a client has its own. */
  readonly pool?: Dispatcher
}

type Method = 'GET' | 'POST' | 'DELETE'

export interface JsonCall<Decoded> {
  readonly method: Method
  readonly url: URL
  /** Path with its query, from the first slash. */
  readonly path: string
  /** The request body as JSON. */
  readonly body?: string
  /** How long the server may wait before it answers; added to the time limit. */
  readonly waitMs?: number
  /** Converts the JSON of the response, undefined for 204. Throws when it does not have the expected shape. */
  readonly decode: (json: unknown) => Decoded
}

/** A request for a stream of server-sent events. */
export interface StreamCall {
  readonly url: URL
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** A stream that receives nothing for this long fails. */
  readonly silenceMsMax: number
}

interface Answer {
  readonly status: number
  /** The header Retry-After. Proxies send it without a problem document. */
  readonly retryAfter: string | undefined
  readonly text: string
}

/**
 * Sends HTTP requests over connections that are kept open. Each call is one try, and fails with EventStoreError only. It uses
 * undici's `request`, which took 64 µs of CPU for client and server together; `fetch` took 250.
 */
export class HttpTransport {
  readonly #timeoutMs: number
  readonly #headers: Readonly<Record<string, string>>
  readonly #headersFor: TransportOptions['headersFor']
  readonly #token: BearerToken
  readonly #pool: Dispatcher
  readonly #isShared: boolean
  #closed: Promise<void> | undefined

  /** @throws InvalidInputError when the token, a certificate or the key is malformed */
  constructor(options: TransportOptions = {}) {
    const { timeoutMs = 5_000, headers = {}, headersFor, pool } = options
    this.#timeoutMs = timeoutMs
    this.#headers = headers
    this.#headersFor = headersFor
    this.#token = new BearerToken(options, timeoutMs)
    this.#pool = pool ?? connectionPool(options)
    this.#isShared = pool !== undefined
  }

  /** Why requests must not go to the URL; undefined if they may. */
  refusalOf(url: URL): string | undefined {
    return this.#token.isExposedBy(url) ? exposed(url) : undefined
  }

  /** Sends a request and decodes the JSON of its response. */
  async json<Decoded>(call: JsonCall<Decoded>): Promise<Decoded> {
    this.#checkOpen()
    const answer = await this.#exchange(call)
    if (answer.status >= 400) throw refusal(answer)
    const { method, url, path, decode } = call
    try {
      return decode(answer.status === 204 ? undefined : JSON.parse(answer.text))
    } catch (error) {
      const code = method === 'GET' ? 'internal' : 'outcome-unknown'
      throw failed(code, method, url, path, 'returned a response that this client cannot read', error)
    }
  }

  /** Opens a stream of server-sent events. Destroy it or abort the signal to close it. */
  async stream(call: StreamCall): Promise<Readable> {
    this.#checkOpen()
    const response = await this.#open(call)
    if (response.statusCode === 200) return response.body
    throw refusal(await readAnswer(response))
  }

  /** Waits for requests in flight, then closes the connections. */
  close(): Promise<void> {
    this.#closed ??= this.#isShared ? Promise.resolve() : this.#pool.close()
    return this.#closed
  }

  /** Ends requests in flight, and closes the connections. */
  destroy(): Promise<void> {
    this.#closed = this.#isShared ? Promise.resolve() : this.#pool.destroy()
    return this.#closed
  }

  #checkOpen(): void {
    if (this.#closed !== undefined)
      throw new EventStoreError('invalid-request', 'this client has been closed')
  }

  /** The headers of one request. */
  async #ownHeaders(method: Method, url: URL, path: string): Promise<Readonly<Record<string, string>>> {
    const known = { ...this.#headers, ...(await this.#token.headers(url)) }
    if (this.#headersFor === undefined) return known
    const late = () => new Error(`not within ${this.#timeoutMs} ms`)
    try {
      const added = await within(deadlineIn(this.#timeoutMs), this.#headersFor(url), late)
      return { ...known, ...added }
    } catch (error) {
      const what = `was not sent, because its headers could not be made: ${messageOf(error)}`
      throw failed('unavailable', method, url, path, what, error)
    }
  }

  async #exchange({ method, url, path, body, waitMs = 0 }: JsonCall<unknown>): Promise<Answer> {
    const timeoutMs = this.#timeoutMs + waitMs
    const own = await this.#ownHeaders(method, url, path)
    try {
      const response = await this.#pool.request({
        origin: url.origin,
        path: prefixOf(url) + path,
        method,
        // Servers require JSON for every change, because no web page can send it across origins without asking.
        headers: method === 'GET' ? own : { 'content-type': 'application/json', ...own },
        body: body ?? null,
        signal: AbortSignal.timeout(timeoutMs),
      })
      return await readAnswer(response)
    } catch (error) {
      throw networkFailure(method, url, path, timeoutMs, error)
    }
  }

  async #open({ url, path, headers, signal, silenceMsMax }: StreamCall): Promise<Dispatcher.ResponseData> {
    const own = await this.#ownHeaders('GET', url, path)
    try {
      return await this.#pool.request({
        origin: url.origin,
        path: prefixOf(url) + path,
        method: 'GET',
        headers: { accept: 'text/event-stream', ...own, ...headers },
        headersTimeout: this.#timeoutMs,
        bodyTimeout: silenceMsMax,
        signal,
      })
    } catch (error) {
      throw networkFailure('GET', url, path, this.#timeoutMs, error)
    }
  }
}

/** Connections for the requests of one client, or of several. */
export const connectionPool = ({ timeoutMs = 5_000, connectionsMax = 32, tls }: TransportOptions): Agent =>
  new Agent({
    connections: connectionsMax,
    connect: connectorOf(tls, timeoutMs),
    keepAliveTimeout: 30_000,
    allowH2: false,
  })

function networkFailure(
  method: Method,
  url: URL,
  path: string,
  timeoutMs: number,
  error: unknown,
): EventStoreError {
  const code = method === 'GET' || wasNeverSent(error) ? 'unavailable' : 'outcome-unknown'
  const timedOut = error instanceof Error && error.name === 'TimeoutError'
  const what = timedOut ? `timed out after ${timeoutMs} ms` : `failed: ${messageOf(error)}`
  return failed(code, method, url, path, what, error)
}

/** The path under which a proxy serves the server. */
const prefixOf = (url: URL): string => url.pathname.replace(/\/$/, '')

const failed = (code: ErrorCode, method: string, url: URL, path: string, what: string, cause: unknown) =>
  new EventStoreError(code, `${method} ${url.origin}${prefixOf(url)}${path} ${what}`, {}, { cause })

/** Node's error for several refused addresses has a code, but no message. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const problem = tlsProblemOf(error)
  if (problem !== undefined) return `${problem} (${error.message})`
  return error.message || ('code' in error ? String(error.code) : error.name)
}

async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
  const retryAfter = [headers['retry-after']].flat()[0]
  return { status: statusCode, retryAfter, text: await body.text() }
}

function refusal({ status, retryAfter, text }: Answer): EventStoreError {
  const seconds = /^\d{1,4}$/.test(retryAfter ?? '') ? { retryAfterSeconds: Number(retryAfter) } : {}
  const problem = jsonOrUndefined(text)
  return fromProblem(status, typeof problem === 'object' ? { ...seconds, ...problem } : seconds)
}
