import { createLocalJWKSet, type CryptoKey, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

import { unavailable } from './refusals.ts'

/** What a request for the issuer's keys came to. */
export type KeysFetched = { readonly keys: number } | { readonly failure: string }

export interface IssuerKeysOptions {
  /** Rejects with an Error that says why there are no keys. */
  readonly fetch: () => Promise<JSONWebKeySet>
  /** Keys are fetched again when they are this old. */
  readonly cacheMs: number
  /** How much longer they stay in force while they cannot be fetched. */
  readonly graceMs: number
  /** Between two requests. */
  readonly cooldownMs: number
  readonly now: () => number
  readonly onFetch?: (outcome: KeysFetched) => void
}

interface Keys {
  readonly find: ReturnType<typeof createLocalJWKSet>
  readonly fetchedAtMs: number
}

/**
 * The public keys of an issuer: cached, fetched again when they are old or when a token names an unknown one, and kept in force
 * for a while when the issuer is away. At most one request runs at a time, and no more than one within the cool-down.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  #keys: Keys | undefined
  #running: Promise<void> | undefined
  #lastEndedAtMs = -Infinity
  #failure: Error | undefined

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /** The key that a token names. @throws JOSEError without one; EventStoreError `unavailable` when the keys are not known. */
  readonly find: JWTVerifyGetKey<CryptoKey> = async (header, token) => {
    const known = await this.#inForce()
    try {
      return await known.find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.#fetchUnlessRecent()
      // The issuer may have a new key of which nothing is known yet.
      if (this.#failure !== undefined) throw this.#noKeys(this.#failure)
      return await (this.#keys ?? known).find(header, token)
    }
  }

  async #inForce(): Promise<Keys> {
    const { cacheMs, graceMs } = this.#options
    if (this.#keys !== undefined && this.#since(this.#keys.fetchedAtMs) < cacheMs) return this.#keys
    const fetching = this.#fetchUnlessRecent()
    // While the issuer is away, only the first requests wait for it.
    if (this.#failure === undefined || !this.#isWithin(cacheMs + graceMs)) await fetching
    if (this.#keys !== undefined && this.#isWithin(cacheMs + graceMs)) return this.#keys
    throw this.#noKeys(this.#failure)
  }

  #isWithin(ms: number): boolean {
    return this.#keys !== undefined && this.#since(this.#keys.fetchedAtMs) < ms
  }

  /** A clock that was set back says nothing about the time between. */
  #since(ms: number): number {
    const elapsedMs = this.#options.now() - ms
    return elapsedMs < 0 ? Infinity : elapsedMs
  }

  /** Never rejects. */
  async #fetchUnlessRecent(): Promise<void> {
    if (this.#running === undefined && this.#since(this.#lastEndedAtMs) < this.#options.cooldownMs) return
    this.#running ??= this.#fetch().finally(() => {
      this.#lastEndedAtMs = this.#options.now()
      this.#running = undefined
    })
    await this.#running
  }

  async #fetch(): Promise<void> {
    try {
      const keySet = await this.#options.fetch()
      this.#keys = { find: createLocalJWKSet(keySet), fetchedAtMs: this.#options.now() }
      this.#failure = undefined
      this.#report({ keys: keySet.keys.length })
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#report({ failure: this.#failure.message })
    }
  }

  #report(outcome: KeysFetched): void {
    try {
      this.#options.onFetch?.(outcome)
    } catch {
      // A report never fails the work.
    }
  }

  #noKeys(cause: Error | undefined): Error {
    return unavailable('the keys of the token issuer cannot be fetched now', { cause })
  }
}
