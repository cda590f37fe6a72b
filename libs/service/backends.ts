import type { Config } from '#config'
import { type DomainModule, eventTopic, repartitionJournal, restoreJournal } from '#domain'
import { KafkaCluster, LogError, type TopicDescription, Topics } from '#kafka'
import { connectRedis, type RedisConnection } from '#redis-index'
import type { EventCodec } from '#schemas'

import { checkedDomain, typesWithoutDomain } from './check-domain.ts'
import { kafkaSettings, redisSettings } from './connection-settings.ts'
import { openCodec } from './open-codec.ts'
import { eventTopicSpec } from './topic-specs.ts'

/** The connections that every service needs, opened and ready. */
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
 * Loads the domain modules and connects to Kafka, Redis and the registry. Missing schemas are pushed and missing
 * topics are created.
 * @param warn receives problems that do not prevent the start
 * @throws InvalidInputError, ConfigError, SchemaError, LogError, IndexUnavailableError; everything is closed then
 */
export async function openBackends(
  config: Config,
  warn: (warning: string) => void = () => undefined,
): Promise<Backends> {
  const { domain, warnings } = await checkedDomain(config)
  warnings.forEach(warn)
  const opened: (() => unknown)[] = []
  const close = async () => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne()
  }
  try {
    const cluster = await KafkaCluster.connect(kafkaSettings(config))
    opened.push(() => cluster.close())
    const unserved = typesWithoutDomain(await new Topics(cluster).aggregateTypes(), domain)
    if (unserved !== undefined) warn(unserved)
    const redis = connectRedis(redisSettings(config))
    opened.push(() => redis.close())
    await redis.ready()
    const codec = await openCodec(config, domain, { push: true })
    const topics = await ensureEventTopics(cluster, config, domain)
    return { domain, cluster, redis, codec, topics, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function ensureEventTopics(
  cluster: KafkaCluster,
  { kafka }: Config,
  { aggregates }: DomainModule,
): Promise<TopicDescription[]> {
  const topics = new Topics(cluster)
  for (const { type } of aggregates) await refuseWhileFilled(topics, type)
  return topics.ensure(aggregates.map(({ type }) => eventTopicSpec(type, kafka)))
}

/** A topic that is being filled must not be mistaken for the complete log. @throws LogError `refused` */
async function refuseWhileFilled(topics: Topics, type: string): Promise<void> {
  const [moved, restored] = [repartitionJournal(type), restoreJournal(type)]
  const journals = await topics.describe([moved, restored])
  if (journals.some(({ name }) => name === moved)) {
    throw new LogError(
      'refused',
      `${eventTopic(type)} is being moved to another number of partitions: run \`./annals topics repartition ${type} --yes\` again to ` +
        'finish that, or with --abort to give it up, then start again',
    )
  }
  if (journals.some(({ name }) => name === restored)) {
    throw new LogError(
      'refused',
      `${eventTopic(type)} is being restored from a backup: run the same \`./annals restore\` again to finish that, then start again`,
    )
  }
}
