import { formatPosition, parsePosition, position } from '#domain'

import type { AppendOperation, ReadOperation, StateOperation, Unknown, ViewOperation } from '../history.ts'
import type { Random } from '../random.ts'
import {
  type AppendRequest,
  type Caller,
  callMsMax,
  failedAppend,
  pageEvents,
  tokenMsMax,
  type ViewRequest,
} from './caller.ts'

interface HttpCallerOptions {
  readonly writerUrls: readonly string[]
  readonly projectorUrls: readonly string[]
  /** Selects the instance for each request. */
  readonly random: Random
  /** For one request and its response; default {@link callMsMax}. */
  readonly callMsMax?: number
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Plain HTTP, as a client in another language would use it: any writer and any projector will do. */
export class HttpCaller implements Caller {
  readonly #options: HttpCallerOptions

  constructor(options: HttpCallerOptions) {
    this.#options = options
  }

  async append(requests: readonly AppendRequest[]): Promise<readonly AppendOperation['outcome'][]> {
    const [first] = requests
    try {
      if (first !== undefined && requests.length === 1) return [appendOutcome(await this.#appendOne(first))]
      const { status, body } = await this.#atWriter('/appends', { appends: requests })
      if (status !== 200) return requests.map(() => appendOutcome({ status, body }))
      const results = body['results'] as readonly Answer['body'][]
      return results.map((result) => appendOutcome({ status: Number(result['status']), body: result }))
    } catch (error) {
      return requests.map(() => ({ is: 'unknown', code: nameOf(error) }))
    }
  }

  read(streamId: string, fromVersion: number): Promise<ReadOperation['outcome']> {
    return orUnknown(async () => {
      const events: { version: number; id: string }[] = []
      for (let next: number | undefined = fromVersion; next !== undefined;) {
        const path = `/streams/${encodeURIComponent(streamId)}/events?fromVersion=${next}&limit=${pageEvents}`
        const { status, body } = await this.#atWriter(path)
        if (status !== 200) return unknown(body, status)
        const page = body['events'] as readonly { readonly version: number; readonly id: string }[]
        events.push(...page.map(({ version, id }) => ({ version, id })))
        next = page.length < pageEvents ? undefined : fromVersion + events.length
      }
      return { is: 'answered', events }
    })
  }

  state(streamId: string): Promise<StateOperation['outcome']> {
    return orUnknown(async () => {
      const { status, body } = await this.#atWriter(`/streams/${encodeURIComponent(streamId)}/state`)
      if (status === 200) return { is: 'answered', version: Number(body['version']), state: body['state'] }
      if (body['code'] === 'stream-not-found') return { is: 'answered', version: 0, state: null }
      return unknown(body, status)
    })
  }

  view({ projection, key, after }: ViewRequest): Promise<ViewOperation['outcome']> {
    const token = after && formatPosition(position(after.topic, after.partition, after.offset))
    const query = token === undefined ? '' : `?after=${encodeURIComponent(token)}&timeoutMs=${tokenMsMax}`
    const path = `/projections/${projection}/views/${encodeURIComponent(key)}${query}`
    return orUnknown(async () => {
      const { status, body } = await this.#request(
        this.#options.random.pick(this.#options.projectorUrls) + path,
      )
      if (status === 200) return { is: 'answered', view: body['view'] }
      if (body['code'] === 'view-not-found') return { is: 'answered', view: null }
      return unknown(body, status)
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #appendOne({ streamId, ...body }: AppendRequest): Promise<Answer> {
    return this.#atWriter(`/streams/${encodeURIComponent(streamId)}/events`, body)
  }

  #atWriter(path: string, body?: object): Promise<Answer> {
    return this.#request(this.#options.random.pick(this.#options.writerUrls) + path, body)
  }

  async #request(url: string, body?: object): Promise<Answer> {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(this.#options.callMsMax ?? callMsMax),
      ...(body && {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
}

function appendOutcome({ status, body }: Answer): AppendOperation['outcome'] {
  if (status !== 200 && status !== 201) return failedAppend(codeOf(body, status), actualOf(body))
  return {
    is: 'acknowledged',
    firstVersion: Number(body['firstVersion']),
    lastVersion: Number(body['lastVersion']),
    position: parsePosition(String(body['position'])),
    eventIds: body['eventIds'] as readonly string[],
    duplicate: body['duplicate'] === true,
  }
}

const actualOf = ({ actual }: Answer['body']): number | undefined =>
  typeof actual === 'number' ? actual : undefined

const codeOf = ({ code }: Answer['body'], status: number): string =>
  typeof code === 'string' ? code : `status-${status}`

const unknown = (body: Answer['body'], status: number): Unknown => ({
  is: 'unknown',
  code: codeOf(body, status),
})

async function orUnknown<Outcome>(ask: () => Promise<Outcome>): Promise<Outcome | Unknown> {
  try {
    return await ask()
  } catch (error) {
    return { is: 'unknown', code: nameOf(error) }
  }
}

/** `fetch` puts the reason into the cause. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name
}
