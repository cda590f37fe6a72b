import { formatPosition, type Position } from '#domain'
import { EventStoreError } from '#event-store'
import type {
  DeadLetter,
  DeadLetterRetry,
  ProjectionInfo,
  RebuildOptions,
  UpdatesQuery,
  View,
  ViewOptions,
  ViewsPage,
  ViewsQuery,
  ViewUpdate,
} from '#projections'

import { isAboutCaller, isTransient, type RetryLimits, retrying } from './backoff.ts'
import { followStream, type OnProgress } from './follow-stream.ts'
import type { HttpTransport, JsonCall } from './http-transport.ts'
import { openSubscription } from './open-subscription.ts'
import { ReachableUrls } from './reachable-urls.ts'
import { parseUrl, pathPart, queryString } from './request-path.ts'

interface ProjectionsClientOptions {
  /** URLs of projectors. Each of them accepts every request. */
  readonly urls: readonly string[]
  readonly transport: HttpTransport
  readonly retries: RetryLimits
  readonly silenceMsMax: number
}

interface UpdatesCall extends UpdatesQuery {
  readonly fromNow?: boolean
  readonly onProgress?: OnProgress
}

/** Default time that a read waits for the event of `after`. */
const waitMsDefault = 5_000

/** Requests to projectors over HTTP. When a projector is unavailable, the retry goes to another one. */
export class ProjectionsClient {
  readonly #urls: ReachableUrls
  readonly #transport: HttpTransport
  readonly #retries: RetryLimits
  readonly #silenceMsMax: number

  /** @throws InvalidInputError when a URL is malformed. */
  constructor({ urls, transport, retries, silenceMsMax }: ProjectionsClientOptions) {
    urls.forEach(parseUrl)
    this.#urls = new ReachableUrls(urls)
    this.#transport = transport
    this.#retries = retries
    this.#silenceMsMax = silenceMsMax
  }

  async list(): Promise<readonly ProjectionInfo[]> {
    const { projections } = await this.#get<{ projections: readonly ProjectionInfo[] }>('/projections')
    return projections
  }

  describe(name: string): Promise<ProjectionInfo> {
    return this.#get(pathOf(name))
  }

  view(name: string, key: string, options: ViewOptions): Promise<View> {
    const path = `${pathOf(name)}/views/${pathPart(key)}${queryString(optionsOf(options))}`
    return this.#get(path, waitMsOf(options))
  }

  views(name: string, query: ViewsQuery): Promise<ViewsPage> {
    const { orderBy, descending: desc, limit, cursor } = query
    const parameters = { ...optionsOf(query), orderBy, desc, limit, cursor }
    return this.#get(`${pathOf(name)}/views${queryString(parameters)}`, waitMsOf(query))
  }

  updates(
    name: string,
    { cursor, onProgress, ...parameters }: UpdatesCall,
    signal: AbortSignal,
  ): AsyncGenerator<ViewUpdate> {
    const path = `${pathOf(name)}/subscribe${queryString(parameters)}`
    const call = { path, signal, silenceMsMax: this.#silenceMsMax }
    const open = (from: string | undefined) =>
      this.#once((url) => openSubscription(this.#transport, { ...call, url, cursor: from }))
    const decode = (json: unknown, at: string) => ({ ...(json as Omit<ViewUpdate, 'cursor'>), cursor: at })
    return followStream({ cursor, signal, retries: this.#retries, open, decode, onProgress })
  }

  rebuild(name: string, { untilTime, untilPosition }: RebuildOptions): Promise<{ generation: string }> {
    const until = untilPosition && formatPosition(untilPosition)
    return this.#change('POST', `${pathOf(name)}/rebuild`, { untilTime, untilPosition: until })
  }

  discard(name: string, generation: string): Promise<void> {
    return this.#change('DELETE', `${pathOf(name)}/generations/${pathPart(generation)}`)
  }

  resume(name: string): Promise<{ resumed: number }> {
    return this.#change('POST', `${pathOf(name)}/resume`)
  }

  async deadLetters(
    name: string,
    { offset, limit }: { readonly offset?: number; readonly limit?: number },
  ): Promise<readonly DeadLetter[]> {
    const path = `${pathOf(name)}/dead-letters${queryString({ offset, limit })}`
    return (await this.#get<{ deadLetters: readonly DeadLetter[] }>(path)).deadLetters
  }

  retryDeadLetters(name: string, positions?: readonly Position[]): Promise<DeadLetterRetry> {
    const body = { positions: positions?.map(formatPosition) }
    return this.#change('POST', `${pathOf(name)}/dead-letters/retry`, body)
  }

  dropDeadLetters(name: string, positions: readonly Position[]): Promise<{ dropped: number }> {
    const body = { positions: positions.map(formatPosition) }
    return this.#change('POST', `${pathOf(name)}/dead-letters/drop`, body)
  }

  #get<Answer>(path: string, waitMs = 0): Promise<Answer> {
    const call = { method: 'GET', path, waitMs, decode: (json: unknown) => json as Answer } as const
    return this.#call(call, (error) => isTransient(error) && !hasWaited(error))
  }

  /** Retried only when the request had no effect, because a repeated rebuild would start another one. */
  #change<Answer>(method: 'POST' | 'DELETE', path: string, body?: object): Promise<Answer> {
    const decode = (json: unknown) => json as Answer
    const call = { method, path, decode, ...(body && { body: JSON.stringify(body) }) }
    return this.#call(call, (error) => isTransient(error) && error.code !== 'outcome-unknown')
  }

  #call<Answer>(call: Omit<JsonCall<Answer>, 'url'>, mayRetry: (error: unknown) => boolean): Promise<Answer> {
    const attempt = () => this.#once((url) => this.#transport.json({ ...call, url }))
    return retrying(this.#retries, attempt, mayRetry)
  }

  /** Sends one request. A projector that is unavailable gets no requests for a second while there are others. */
  async #once<Answer>(request: (url: URL) => Promise<Answer>): Promise<Answer> {
    const url = this.#urls.next()
    try {
      return await request(parseUrl(url))
    } catch (error) {
      if (isTransient(error) && !hasWaited(error) && !isAboutCaller(error)) this.#urls.avoid(url)
      throw error
    }
  }
}

/** The server has already waited for the requested time, so a retry would exceed it. */
const hasWaited = (error: unknown): boolean =>
  error instanceof EventStoreError && error.code === 'projection-behind'

const pathOf = (name: string): string => `/projections/${pathPart(name)}`

const waitMsOf = ({ after, timeoutMs = waitMsDefault }: ViewOptions): number =>
  after === undefined ? 0 : timeoutMs

/** The timeout is always sent, so client and server use the same one. */
const optionsOf = (options: ViewOptions) => ({
  after: options.after && formatPosition(options.after),
  timeoutMs: options.after && waitMsOf(options),
  generation: options.generation,
})
