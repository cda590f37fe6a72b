import { kafkaAnswers } from './kafka-answers.ts'
import { Link } from './link.ts'
import type { Servers } from './servers.ts'
import type { Traits } from './traits.ts'

/** The two parts that a link connects. */
export type Pair =
  | 'clients-writer'
  | 'peers-writer'
  | 'clients-projector'
  | 'writer-kafka'
  | 'writer-redis'
  | 'consumer-kafka'
  | 'consumer-redis'
  | 'consumer-postgres'
  | 'service-registry'

/** The links from one service to the servers. */
export interface WaysOut {
  readonly kafka: readonly Link[]
  readonly redis: Link
  readonly postgres: Link
  readonly registry: Link
}

/** @param from name of the service. */
export async function openWaysOut(from: string, servers: Servers): Promise<WaysOut> {
  const ports = new Map<number, number>()
  const kafka = await Promise.all(
    servers.kafka.brokers.map(async ({ id, address }) => {
      const port = Number(address.split(':')[1])
      const link = await Link.open(`${from}→broker-${id}`, port, () => kafkaAnswers(ports))
      ports.set(port, link.port)
      return link
    }),
  )
  const redis = await Link.open(`${from}→redis`, servers.redis.port)
  const postgres = await Link.open(`${from}→postgres`, servers.postgres.port)
  const registry = await Link.open(`${from}→registry`, servers.registry.port)
  return { kafka, redis, postgres, registry }
}

/**
 * The server addresses in the environment of a service. The nodes of a Redis Cluster advertise their own addresses, so
 * they are reached directly.
 */
export const addressesOf = (
  { kafka, redis, postgres, registry }: WaysOut,
  { redisCluster }: Servers,
  traits: Traits,
): Readonly<Record<string, string>> => ({
  ANNALS_KAFKA_BROKERS: kafka.map(({ port }) => `127.0.0.1:${port}`).join(','),
  ANNALS_REDIS_URL: traits.redis === 'cluster' ? redisCluster.url : `redis://127.0.0.1:${redis.port}`,
  ANNALS_REGISTRY_URL: `http://127.0.0.1:${registry.port}/apis/ccompat/v7`,
  ...(traits.views === 'postgres' && {
    ANNALS_PROJECTOR_STORE: 'postgres',
    ANNALS_PROJECTOR_POSTGRES_URL: `postgres://annals@127.0.0.1:${postgres.port}/postgres`,
  }),
})
