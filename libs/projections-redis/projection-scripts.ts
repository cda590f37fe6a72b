import { type StoredProjection, type ViewSet, ViewStoreUnavailableError } from '#projections'
import { IndexUnavailableError, type RedisConnection, type Script } from '#redis-index'

import { ProjectionKeys } from './keys.ts'
import { type ScriptItem, packArgument } from './script-argument.ts'

/** Runs scripts on a projection's keys, for all ports of the store in Redis. */
export class ProjectionScripts {
  readonly #redis: RedisConnection

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** Runs a script that looks up the generations itself. @throws ViewStoreUnavailableError */
  run(script: Script, projection: StoredProjection, items: readonly ScriptItem[]): Promise<unknown> {
    const keys = [this.#keys(projection).generations]
    return answered(this.#redis.run(script, keys, packArgument(items)))
  }

  /** Runs a script on one generation. @throws ViewStoreUnavailableError */
  runOn(script: Script, set: ViewSet, items: readonly ScriptItem[]): Promise<unknown> {
    const keys = this.#keys(set.projection).ofSet(set)
    return answered(this.#redis.run(script, keys, packArgument(items)))
  }

  /** The stored bytes of views, in the order of their keys; null for each that does not exist. @throws ViewStoreUnavailableError */
  async readViews(set: ViewSet, keys: readonly string[]): Promise<readonly (Buffer | null | undefined)[]> {
    const views = this.#keys(set.projection).views(set.generation)
    return (await answered(this.#redis.call('HMGET', [views, ...keys]))) as (Buffer | null)[]
  }

  #keys(projection: StoredProjection): ProjectionKeys {
    return new ProjectionKeys(this.#redis.keyPrefix, projection.name)
  }
}

async function answered(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof IndexUnavailableError)) throw error
    throw new ViewStoreUnavailableError(`the view store does not answer: ${error.message}`, {
      cause: error,
    })
  }
}
