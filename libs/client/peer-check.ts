import { LRUCache } from 'lru-cache'
import { Agent, type Dispatcher, errors } from 'undici'

/** What an instance of a service says of itself. */
export interface PeerIdentity {
  /** Of Kafka. */
  readonly clusterId: string
  readonly groupId: string
  /** Of this process, at random. */
  readonly instance: string
}

/** `refuted`: something else answers at the URL. `unknown`: nothing does, or it cannot say now. */
export type PeerVerdict = 'verified' | 'refuted' | 'unknown'

/** What is known of whoever is at a URL. */
interface Known {
  verdict: PeerVerdict
  askedAtMs: number
  /** Whether the first question has been answered, or given up. */
  isAnswered: boolean
  /** Of the question under way. */
  asking: Promise<PeerVerdict> | undefined
}

const askTimeoutMs = 1_000
const answerBytesMax = 4_096
const knownMax = 1_000
/** How long a verdict counts before the question is asked again, beside the requests. */
const freshMs: Readonly<Record<PeerVerdict, number>> = { verified: 30_000, refuted: 30_000, unknown: 1_000 }

/**
 * Whether other instances of a service are where they say. A member of a group can advertise any URL, so before anything is sent
 * there, whatever answers is asked who it is. The question carries no credentials and follows no redirects.
 */
export class PeerCheck {
  readonly #path: string
  readonly #own: Pick<PeerIdentity, 'clusterId' | 'groupId'>
  readonly #known = new LRUCache<string, Known>({ max: knownMax })
  readonly #agent = new Agent({
    connections: 1,
    connectTimeout: askTimeoutMs,
    maxResponseSize: answerBytesMax,
    keepAliveTimeout: 1_000,
  })

  /** @param path of the route that answers with a {@link PeerIdentity}, from the first slash. */
  constructor(path: string, own: Pick<PeerIdentity, 'clusterId' | 'groupId'>) {
    this.#path = path
    this.#own = own
  }

  /** Waits for the first answer only, a second at most; later it is what is known. Never rejects. */
  async verdict({
    url,
    instance,
  }: {
    readonly url: string
    readonly instance: string
  }): Promise<PeerVerdict> {
    const key = JSON.stringify([url, instance])
    const known = this.#known.get(key) ?? neverAsked()
    this.#known.set(key, known)
    if (performance.now() - known.askedAtMs > freshMs[known.verdict]) {
      known.askedAtMs = performance.now()
      known.asking ??= this.#ask(url, instance, known)
    }
    return known.isAnswered ? known.verdict : (known.asking ?? known.verdict)
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #ask(url: string, instance: string, known: Known): Promise<PeerVerdict> {
    const answered = await this.#answer(url, instance)
    // One that proved to be there and is silent now is still nobody else.
    if (answered !== 'unknown') known.verdict = answered
    known.isAnswered = true
    known.asking = undefined
    return known.verdict
  }

  async #answer(text: string, instance: string): Promise<PeerVerdict> {
    try {
      const url = new URL(text)
      const { statusCode, body } = await this.#agent.request({
        origin: url.origin,
        path: url.pathname.replace(/\/$/, '') + this.#path,
        method: 'GET',
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(askTimeoutMs),
      })
      return await this.#judge(statusCode, body, instance)
    } catch (error) {
      return isWrongAnswer(error) ? 'refuted' : 'unknown'
    }
  }

  async #judge(
    status: number,
    body: Dispatcher.ResponseData['body'],
    instance: string,
  ): Promise<PeerVerdict> {
    const answer = await body.text()
    // A proxy in between, or a service that is starting.
    if (status >= 500 || status === 429) return 'unknown'
    const { clusterId, groupId } = this.#own
    const isPeer = status === 200 && isSame(parseJson(answer), { clusterId, groupId, instance })
    return isPeer ? 'verified' : 'refuted'
  }
}

const neverAsked = (): Known => ({
  verdict: 'unknown',
  askedAtMs: -Infinity,
  isAnswered: false,
  asking: undefined,
})

const isWrongAnswer = (error: unknown): boolean =>
  error instanceof errors.ResponseExceededMaxSizeError || error instanceof errors.HTTPParserError

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isSame = (json: unknown, expected: PeerIdentity): boolean =>
  typeof json === 'object' &&
  json !== null &&
  Object.entries(expected).every(([name, value]) => (json as Record<string, unknown>)[name] === value)
