import { LRUCache } from 'lru-cache'

import { SchemaError } from '#schemas'

/** Maximum number of schema ids whose failure is remembered. */
const failuresMax = 1_000

/** A schema that is registered after its id failed is found after this time. */
const failureMsMax = 30_000

/** Remembers for a short time why schema ids could not be read, so that one id does not cause a request for every message. */
export class FailedLookups {
  // The clock is read at each call, without lru-cache's timer.
  readonly #failures = new LRUCache<number, SchemaError>({
    max: failuresMax,
    ttl: failureMsMax,
    ttlResolution: 0,
    perf: { now: () => performance.now() },
  })

  /** @throws SchemaError the remembered failure of this id. */
  check(schemaId: number): void {
    const failure = this.#failures.get(schemaId)
    if (failure !== undefined) throw failure
  }

  /** Remembers the failure if it is about the schema. While the registry cannot be reached, every message asks again. */
  note(schemaId: number, error: unknown): void {
    if (error instanceof SchemaError && error.code !== 'registry-unreachable') {
      this.#failures.set(schemaId, error)
    }
  }
}
