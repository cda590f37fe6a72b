import { LRUCache } from 'lru-cache'
import type { Agent } from 'undici'

import { AnnalsClient } from './annals-client.ts'
import { connectionPool, type TransportOptions } from './http-transport.ts'

/** In whose name requests are forwarded. */
export interface PeerSender {
  /** Requests with different keys are never sent together. Equal keys mean the same principal with the same credential. */
  readonly key: string
  /**
   * The headers of one request that name the principal.
   * @param url of the receiver, as it advertises it
   */
  headersFor(url: string): Promise<Readonly<Record<string, string>>>
}

/** Maximum number of clients that are remembered. One that is forgotten still finishes its requests. */
const clientsMax = 1_000

/**
 * Clients of the other instances of a service, to forward requests to partition owners. Concurrent appends of one sender share
 * requests, all clients share their connections, and all requests carry the header `annals-forwarded: 1`. There are no retries here:
 * the caller decides.
 */
export class PeerClients {
  readonly #timeoutMs: number
  readonly #tls: Pick<TransportOptions, 'tls'>
  #pool: Agent
  readonly #clients = new LRUCache<string, AnnalsClient>({ max: clientsMax })

  /**
   * @param timeoutMs time limit of one request
   * @param tls authorities to trust. Default: those built into Node.js
   */
  constructor(timeoutMs: number, tls?: TransportOptions['tls']) {
    this.#timeoutMs = timeoutMs
    this.#tls = tls === undefined ? {} : { tls }
    this.#pool = this.#newPool()
  }

  /**
   * The client of the instance at a URL.
   * @param sender signs the requests. Default: they are not signed
   */
  at(url: string, sender?: PeerSender): AnnalsClient {
    const key = sender === undefined ? url : JSON.stringify([url, sender.key])
    const known = this.#clients.get(key)
    if (known !== undefined) return known
    const client = new AnnalsClient({
      url,
      direct: false,
      retries: { triesMax: 1 },
      timeoutMs: this.#timeoutMs,
      headers: { 'annals-forwarded': '1' },
      ...(sender !== undefined && { headersFor: () => sender.headersFor(url) }),
      pool: this.#pool,
    })
    this.#clients.set(key, client)
    return client
  }

  /** Closes the connections when requests in flight are answered. A request after that opens new ones. */
  close(): Promise<void> {
    const pool = this.#pool
    this.#pool = this.#newPool()
    this.#clients.clear()
    return pool.close()
  }

  #newPool(): Agent {
    return connectionPool({ timeoutMs: this.#timeoutMs, ...this.#tls })
  }
}
