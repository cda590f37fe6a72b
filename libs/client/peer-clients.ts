import { LRUCache } from 'lru-cache'

import { AnnalsClient } from './annals-client.ts'

/** Maximum number of open clients. The least recently used is closed first. */
const peersMax = 100

/**
 * Clients of the other instances of a service, to forward requests to partition owners. Concurrent appends share requests, and all
 * requests carry the header `annals-forwarded: 1`. There are no retries here: the caller decides.
 */
export class PeerClients {
  readonly #timeoutMs: number
  readonly #clients = new LRUCache<string, AnnalsClient>({
    max: peersMax,
    dispose: (client) => void client.close(),
  })

  /** @param timeoutMs time limit of one request */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** The client of the instance at a URL. */
  at(url: string): AnnalsClient {
    const known = this.#clients.get(url)
    if (known !== undefined) return known
    const client = new AnnalsClient({
      url,
      direct: false,
      retries: { triesMax: 1 },
      timeoutMs: this.#timeoutMs,
      headers: { 'annals-forwarded': '1' },
    })
    this.#clients.set(url, client)
    return client
  }

  close(): void {
    this.#clients.clear()
  }
}
