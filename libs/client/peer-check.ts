import { randomBytes } from 'node:crypto'

import { LRUCache } from 'lru-cache'
import { Agent, errors } from 'undici'

import type { TransportOptions } from './http-transport.ts'
import { jsonOrUndefined } from './json-or-undefined.ts'
import { connectorOf } from './tls-options.ts'

/** The identity of an instance of a service. */
export interface PeerIdentity {
  /** Id of the Kafka cluster. */
  readonly clusterId: string
  readonly groupId: string
  /** Random id of the process. */
  readonly instance: string
}

/** What a peer proves: who it is, and where. */
export interface ProvenIdentity extends PeerIdentity {
  /** As it advertises it. */
  readonly url: string
}

/** Checks a proof of a peer that it knows the secret of the installation. It was made for this challenge and this identity. */
export type CheckPeerProof = (proof: string, challenge: string, identity: ProvenIdentity) => Promise<boolean>

export interface PeerCheckOptions {
  /** Default: peers are not asked for a proof. */
  readonly checkProof?: CheckPeerProof
  /** Authorities to trust, for URLs that begin with https. Default: those built into Node.js. */
  readonly tls?: TransportOptions['tls']
}

/** `refuted`: something else answers at the URL. `unknown`: nothing answers, or only a temporary error. */
export type PeerVerdict = 'verified' | 'refuted' | 'unknown'

/** What is known about the peer at a URL. */
interface Known {
  verdict: PeerVerdict
  askedAtMs: number
  /** Whether the first request was answered or timed out. */
  isAnswered: boolean
  /** The request in flight. */
  asking: Promise<PeerVerdict> | undefined
}

const askTimeoutMs = 1_000
const answerBytesMax = 4_096
const challengeBytes = 32
const proofLengthMax = 2_000
const knownMax = 1_000
/** How long a verdict is valid before it is checked again in the background. */
const freshMs: Readonly<Record<PeerVerdict, number>> = { verified: 30_000, refuted: 30_000, unknown: 1_000 }

/**
 * Verifies the URLs of other instances of a service. A group member can advertise any URL, so its identity is requested before
 * anything else is sent there. The request carries no credentials and follows no redirects. With a secret, the peer also has to prove
 * that it knows it, for a challenge that was never used before: an answer that was copied from another peer proves nothing.
 */
export class PeerCheck {
  readonly #path: string
  readonly #own: Pick<PeerIdentity, 'clusterId' | 'groupId'>
  readonly #checkProof: CheckPeerProof | undefined
  readonly #known = new LRUCache<string, Known>({ max: knownMax })
  readonly #agent: Agent

  /** @param path path of the route that returns a {@link PeerIdentity}, from the first slash. */
  constructor(
    path: string,
    own: Pick<PeerIdentity, 'clusterId' | 'groupId'>,
    { checkProof, tls }: PeerCheckOptions = {},
  ) {
    this.#path = path
    this.#own = own
    this.#checkProof = checkProof
    this.#agent = new Agent({
      connections: 1,
      maxResponseSize: answerBytesMax,
      keepAliveTimeout: 1_000,
      connect: connectorOf(tls, askTimeoutMs),
    })
  }

  /** The verdict on a peer. Only the first call for a peer waits, for a second at most. Never rejects. */
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

  /** Asks the process at the URL who it is, without using an earlier verdict, which may be outdated. Never rejects. */
  async verdictNow({
    url,
    instance,
  }: {
    readonly url: string
    readonly instance: string
  }): Promise<PeerVerdict> {
    const answered = await this.#answer(url, instance)
    const known = this.#known.get(JSON.stringify([url, instance]))
    if (known !== undefined && answered !== 'unknown') known.verdict = answered
    return answered
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #ask(url: string, instance: string, known: Known): Promise<PeerVerdict> {
    const answered = await this.#answer(url, instance)
    // A verified peer that does not answer now stays verified.
    if (answered !== 'unknown') known.verdict = answered
    known.isAnswered = true
    known.asking = undefined
    return known.verdict
  }

  async #answer(text: string, instance: string): Promise<PeerVerdict> {
    const challenge =
      this.#checkProof === undefined ? undefined : randomBytes(challengeBytes).toString('base64url')
    try {
      const url = new URL(text)
      const query = challenge === undefined ? '' : `?challenge=${challenge}`
      const { statusCode, body } = await this.#agent.request({
        origin: url.origin,
        path: url.pathname.replace(/\/$/, '') + this.#path + query,
        method: 'GET',
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(askTimeoutMs),
      })
      const answer = await body.text()
      // Sent by a proxy, or by a service that is starting.
      if (statusCode >= 500 || statusCode === 429) return 'unknown'
      if (statusCode !== 200) return 'refuted'
      return await this.#judge(jsonOrUndefined(answer), { url: text, instance }, challenge)
    } catch (error) {
      return isWrongAnswer(error) ? 'refuted' : 'unknown'
    }
  }

  async #judge(
    answer: unknown,
    peer: { readonly url: string; readonly instance: string },
    challenge: string | undefined,
  ): Promise<PeerVerdict> {
    const { clusterId, groupId } = this.#own
    const expected = { clusterId, groupId, instance: peer.instance }
    if (!isSame(answer, expected)) return 'refuted'
    if (this.#checkProof === undefined || challenge === undefined) return 'verified'
    const proof = proofOf(answer)
    if (proof === undefined) return 'refuted'
    return (await this.#checkProof(proof, challenge, { ...expected, url: peer.url })) ? 'verified' : 'refuted'
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

const proofOf = (answer: object): string | undefined => {
  const proof = 'proof' in answer ? answer.proof : undefined
  return typeof proof === 'string' && proof.length <= proofLengthMax ? proof : undefined
}

const isSame = (json: unknown, expected: PeerIdentity): json is object =>
  typeof json === 'object' &&
  json !== null &&
  Object.entries(expected).every(([name, value]) => (json as Record<string, unknown>)[name] === value)
