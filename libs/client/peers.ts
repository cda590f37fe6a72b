import { LRUCache } from 'lru-cache'

import { AnnalsClient } from './annals-client.ts'

/** Instances come and go; a client that has not been used for the longest time is closed beyond this number. */
const peersMax = 100

/**
 * Clients of the other instances of a service, for requests that those own. What is passed on together travels together, and says of
 * itself that it was (`annals-forwarded: 1`). Nothing is tried twice here: the caller decides.
 */
export class Peers {
  readonly #timeoutMs: number
  readonly #clients = new LRUCache<string, AnnalsClient>({
    max: peersMax,
    dispose: (client) => void client.close(),
  })

  /** @param timeoutMs for one request. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

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
