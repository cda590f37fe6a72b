import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { KafkaCluster } from '#kafka'
import { kafkaSettings, loadDomain, redisSettings } from '#service'

import { checkFence } from './check-fence.ts'
import { checkLogs } from './check-logs.ts'
import { checkRedis } from './check-redis.ts'
import { checkSchemas } from './check-schemas.ts'
import { checkSettings } from './check-settings.ts'
import { checkWriters } from './check-writers.ts'
import { clusterOf, clusterText } from '../named-cluster.ts'
import { type Finding, found, ok, warn } from './finding.ts'

/**
 * Looks at everything that the promises rest on. A part that cannot be reached is a finding, and the others are looked at.
 * @throws InvalidInputError when a domain module cannot be loaded.
 */
export async function examine(config: Config): Promise<readonly Finding[]> {
  const domain = await loadDomain(config.domain.modules)
  const ofKafka = await examineKafka(config, domain)
  const ofRedis = await found('Redis', 'Start it, or set ANNALS_REDIS_URL', () =>
    checkRedis(redisSettings(config)),
  )
  const ofSchemas = await found('schema registry', 'Start it, or set ANNALS_REGISTRY_URL', () =>
    checkSchemas(config, domain),
  )
  return [...ofKafka, ...ofDomain(domain), ...ofRedis, ...ofSchemas]
}

function ofDomain({ aggregates }: DomainModule): Finding[] {
  if (aggregates.length > 0) {
    return [ok('domain', `aggregate types ${aggregates.map(({ type }) => type).join(', ')}`)]
  }
  const message = 'no domain module is configured: topics, schemas and owners cannot be looked at'
  return [warn('domain', message, 'Set ANNALS_DOMAIN as for the writers')]
}

function examineKafka(config: Config, domain: DomainModule): Promise<readonly Finding[]> {
  const remedy = 'Start it, or set ANNALS_KAFKA_BROKERS'
  return found('Kafka', remedy, async () => {
    const cluster = await KafkaCluster.connect(kafkaSettings(config))
    try {
      return [
        ok('Kafka', `${clusterText(clusterOf(cluster, config))} answers`),
        ...(await checkFence(cluster, config)),
        ...(await found('settings', 'Allow this user to describe configurations', () =>
          checkSettings(cluster, domain),
        )),
        ...(await found('logs', 'Allow this user to read the topics', () =>
          checkLogs(cluster, config, domain),
        )),
        ...(await found('writers', 'Allow this user to describe the group', () =>
          checkWriters(cluster, config, domain),
        )),
      ]
    } finally {
      await cluster.close()
    }
  })
}
