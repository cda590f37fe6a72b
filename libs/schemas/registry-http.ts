import { Agent, type Dispatcher, fetch as fetchBy } from 'undici'

import { Backoff, pause } from '#async'

import { reasonOf, SchemaError } from './schema-error.ts'

/** Address of the registry, and limits of its requests. */
export interface RegistryOptions {
  /** Base of its Confluent API, e.g. `http://127.0.0.1:8085/apis/ccompat/v7`; may contain user and password. */
  readonly url: string
  /** For one request; default 5,000. */
  readonly timeoutMs?: number
  /** After a network error, a time-out, 429 or 5xx; default 3. */
  readonly retries?: number
  /** Before the first retry, doubled for each further one; default 100. */
  readonly retryDelayMs?: number
  /** Authorities to trust instead of Node's own, in PEM, for https. */
  readonly ca?: Buffer
  /** What to change in the settings after this error or status; added to the message. */
  readonly advise?: (failure: unknown) => string | undefined
}

export interface RegistryAnswer {
  readonly status: number
  readonly body: unknown
}

/** No answer: the reason for a retry. */
interface Failed {
  readonly failure: unknown
}

interface FetchInit {
  readonly method: Method
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
  readonly body?: string
}

type Method = 'GET' | 'POST' | 'PUT'

/** Sends requests to the registry. Each has a time limit and a bounded number of retries. */
export class RegistryHttp {
  /** Without user and password. */
  readonly url: string
  readonly #headers: Record<string, string> = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  readonly #timeoutMs: number
  readonly #retries: number
  readonly #retryDelayMs: number
  readonly #dispatcher: Dispatcher | undefined
  readonly #advise: (failure: unknown) => string | undefined

  constructor(options: RegistryOptions) {
    const url = URL.parse(options.url)
    if (url === null) {
      throw new SchemaError(
        'registry-unreachable',
        `${JSON.stringify(options.url)} is not the URL of a schema registry: expected e.g. http://127.0.0.1:8085/apis/ccompat/v7`,
      )
    }
    if (url.username !== '') {
      const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
      this.#headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
      url.username = ''
      url.password = ''
    }
    this.url = url.href.replace(/\/$/, '')
    this.#timeoutMs = options.timeoutMs ?? 5000
    this.#retries = options.retries ?? 3
    this.#retryDelayMs = options.retryDelayMs ?? 100
    this.#dispatcher = options.ca === undefined ? undefined : new Agent({ connect: { ca: options.ca } })
    this.#advise = options.advise ?? (() => undefined)
  }

  /**
   * The registry's answer, whatever its status below 500.
   * @throws SchemaError `registry-unreachable` when all tries failed.
   */
  async request(method: Method, path: string, body?: unknown): Promise<RegistryAnswer> {
    const backoff = new Backoff({ delayMsMin: this.#retryDelayMs, delayMsMax: Infinity })
    for (let retry = 0; ; retry++) {
      const outcome = await this.#try(method, path, body)
      if (!('failure' in outcome)) return outcome
      if (retry === this.#retries) throw this.#unreachable(outcome.failure)
      // Jitter keeps services that lost the registry together from coming back together.
      await pause(backoff.nextMs())
    }
  }

  /** The answer, or the reason for a retry. */
  async #try(method: Method, path: string, body: unknown): Promise<RegistryAnswer | Failed> {
    try {
      const response = await this.#fetch(this.url + path, {
        method,
        headers: this.#headers,
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (response.status === 429 || response.status >= 500) return { failure: `HTTP ${response.status}` }
      return { status: response.status, body: parseBody(text) }
    } catch (error) {
      return { failure: error instanceof Error && error.cause instanceof Error ? error.cause : error }
    }
  }

  #fetch(url: string, init: FetchInit): Promise<{ readonly status: number; text(): Promise<string> }> {
    const dispatcher = this.#dispatcher
    return dispatcher === undefined ? fetch(url, init) : fetchBy(url, { ...init, dispatcher })
  }

  #unreachable(failure: unknown): SchemaError {
    const advice = this.#advise(failure) ?? 'start it, or check the configured URL'
    return new SchemaError(
      'registry-unreachable',
      `the schema registry at ${this.url} cannot be reached (${reasonOf(failure)}): ${advice}`,
      {},
      { cause: failure },
    )
  }

  /** What to change in the settings when the registry rejects a request with this status. */
  adviceFor(status: number): string {
    const advice = this.#advise(status)
    return advice === undefined ? '' : `; ${advice}`
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
