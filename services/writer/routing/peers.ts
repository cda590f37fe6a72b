import { LRUCache } from 'lru-cache'

import { AnnalsClient } from '#client'

/** Writers come and go; a client that has not been used for the longest time is closed beyond this number. */
const peersMax = 100

/**
 * Clients of the other writers, for requests that those own. What is passed on together travels together. Nothing is tried twice
 * here: the caller, who knows the ids, decides.
 */
export class Peers {
  readonly #timeoutMs: number
  readonly #clients = new LRUCache<string, AnnalsClient>({
    max: peersMax,
    dispose: (client) => void client.close(),
  })

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
