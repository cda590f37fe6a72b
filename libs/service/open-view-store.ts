import type { Config } from '#config'
import type { ViewStore } from '#projections'
import { PostgresViewStore } from '#projections-postgres'
import { RedisViewStore } from '#projections-redis'
import type { RedisConnection } from '#redis-index'

/** The configured store of views. @throws InvalidInputError when the URL of PostgreSQL is malformed. */
export function openViewStore({ projector }: Pick<Config, 'projector'>, redis: RedisConnection): ViewStore {
  return projector.store === 'postgres'
    ? PostgresViewStore.open({ url: projector.postgresUrl ?? '' })
    : new RedisViewStore(redis)
}
