import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { type KafkaCluster, Topics } from '#kafka'
import { connectRedis, type RedisConnection } from '#redis-index'
import { redisSettings } from '#service'

import { knownTopics } from '../topics/known-topics.ts'
import type { LogFinding } from '../topics/log-finding.ts'
import { logFindings } from '../topics/log-findings.ts'
import { fail, type DoctorFinding, ok, warn } from './finding.ts'

const redisMsMax = 2_000

/** Checks the logs: deleted heads, recreated topics, stray records, epochs. Without Redis it checks only what Kafka shows. */
export async function checkLogs(
  cluster: KafkaCluster,
  config: Config,
  domain: DomainModule,
): Promise<readonly DoctorFinding[]> {
  const names = knownTopics(domain, config).map(({ name }) => name)
  const topics = await new Topics(cluster).describe(names)
  const redis = connectRedis(redisSettings(config))
  try {
    const found = await logFindings({ cluster, config, domain, topics, redis: await answering(redis) })
    if (found.length > 0) return found.map(findingOf)
    return topics.length === 0
      ? []
      : [ok('logs', 'complete, written only by their owners, and with epochs left for take-overs')]
  } finally {
    redis.close()
  }
}

const answering = (redis: RedisConnection): Promise<RedisConnection | undefined> =>
  redis.ready(redisMsMax).then(
    () => redis,
    // Another check reports that Redis does not answer.
    () => undefined,
  )

function findingOf({ status, subject, setting, actual, why, remedy }: LogFinding): DoctorFinding {
  const message = `${setting}: ${actual}; ${why}`
  return status === 'fail' ? fail(subject, message, remedy) : warn(subject, message, remedy)
}
