import type { Config } from '#config'
import { createUpcasterChain, type DomainModule } from '#domain'
import { eventTopic, KafkaCluster, topicConfigs, type TopicDescription, Topics } from '#kafka'
import { withBuiltIns } from '#projections'
import { connectRedis, type RedisConnection } from '#redis-index'
import {
  EventCodec,
  jsonViewName,
  jsonViewSchema,
  loadCatalog,
  pushSchemas,
  SchemaCatalog,
  SchemaRegistry,
} from '#schemas'

import { kafkaSettings, redisSettings, registryOptions } from './connection-settings.ts'
import { loadDomain } from './load-domain.ts'

/** What every service stands on, opened and ready. */
export interface Backends {
  readonly domain: DomainModule
  readonly cluster: KafkaCluster
  readonly redis: RedisConnection
  readonly codec: EventCodec
  /** The event topics of the domain's aggregates. */
  readonly topics: readonly TopicDescription[]
  close(): Promise<void>
}

/**
 * Loads the domain modules and connects to Kafka, Redis and the registry. Schemas are pushed and topics made where they are missing.
 * @throws InvalidInputError, ConfigError, SchemaError, LogError, IndexUnavailableError; nothing stays open then.
 */
export async function openBackends(config: Config): Promise<Backends> {
  const domain = withBuiltIns(await loadDomain(config.domain.modules), config.projector.builtIn)
  const opened: (() => unknown)[] = []
  const close = async () => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne()
  }
  try {
    const cluster = await KafkaCluster.connect(kafkaSettings(config))
    opened.push(() => cluster.close())
    const redis = connectRedis(redisSettings(config))
    opened.push(() => redis.close())
    await redis.ready()
    const codec = await openCodec(config, domain)
    const topics = await ensureEventTopics(cluster, config, domain)
    return { domain, cluster, redis, codec, topics, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openCodec(config: Config, domain: DomainModule): Promise<EventCodec> {
  const catalog = catalogOf(config.domain, domain)
  const registry = new SchemaRegistry(registryOptions(config))
  const upcasters = createUpcasterChain(domain.upcasters)
  const idFile = config.registry.idFile
  const codec = new EventCodec({ catalog, registry, upcasters, ...(idFile !== undefined && { idFile }) })
  const { missing, unreachable } = await codec.prepare()
  if (unreachable === undefined && missing.length > 0) {
    await pushSchemas(catalog, registry)
    await codec.prepare()
  }
  return codec
}

/**
 * The schemas of the folders, and built-in ones for views. A projection with a schema of its own has the built-in one as well,
 * for its changelog may hold views from before it had its own; unless its own is of the same name.
 */
function catalogOf({ schemaFolders }: Config['domain'], { projections }: DomainModule): SchemaCatalog {
  const files = loadCatalog(schemaFolders)
  const builtIn = projections
    .map(({ name }) => name)
    .filter((name) => files.latest(name, jsonViewName) === undefined)
    .map(jsonViewSchema)
  return new SchemaCatalog([...files.all, ...builtIn])
}

function ensureEventTopics(
  cluster: KafkaCluster,
  { kafka }: Config,
  domain: DomainModule,
): Promise<TopicDescription[]> {
  const configs = {
    ...topicConfigs.events,
    'min.insync.replicas': String(kafka.minInsyncReplicas),
    'max.message.bytes': String(kafka.messageBytesMax),
  }
  return new Topics(cluster).ensure(
    domain.aggregates.map(({ type }) => ({
      name: eventTopic(type),
      partitions: kafka.partitions,
      replication: kafka.replication,
      configs,
    })),
  )
}
