import type { Config } from '#config'
import type { ViewStore } from '#projections'
import { PostgresViewStore } from '#projections-postgres'
import { RedisViewStore } from '#projections-redis'
import type { RedisConnection } from '#redis-index'

import { postgresAdvice } from './connection-advice.ts'

type Projector = Config['projector']

/** One opener for each store that the setting ANNALS_PROJECTOR_STORE can name. */
const openers: Readonly<
  Record<Projector['store'], (projector: Projector, redis: RedisConnection) => ViewStore>
> = {
  redis: (_, redis) => new RedisViewStore(redis),
  postgres: ({ postgresUrl = '' }) =>
    PostgresViewStore.open({ url: postgresUrl, advise: postgresAdvice(postgresUrl) }),
}

/** The view store that the configuration names. @throws InvalidInputError when the URL of PostgreSQL is malformed. */
export const openViewStore = ({ projector }: Pick<Config, 'projector'>, redis: RedisConnection): ViewStore =>
  openers[projector.store](projector, redis)
