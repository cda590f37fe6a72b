import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import {
  freePorts,
  type KafkaVersion,
  type Redis,
  type Registry,
  startKafka,
  startRedis,
  startRegistry,
} from '../../../scripts/stack/index.ts'

/** The servers of all runs. */
export interface Stand {
  readonly version: KafkaVersion
  readonly brokers: readonly string[]
  readonly redis: Redis
  readonly registry: Registry
  readonly registryUrl: string
  stop(): Promise<void>
}

/** Makes a coordinator forget an unused transactional id after 4 seconds instead of a week, and check every half second. */
const forgetfulBroker = {
  'transactional.id.expiration.ms': '4000',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
}

/**
 * Starts a single-node Kafka whose coordinator forgets early, Redis and the registry. @param folder for their data and
 * logs.
 */
export async function openStand(version: KafkaVersion, folder: string): Promise<Stand> {
  mkdirSync(folder, { recursive: true })
  const [port = 0, controllerPort = 0, redisPort = 0, registryPort = 0] = await freePorts(4)
  const report = () => undefined
  const at = (name: string) => ({ folder: join(folder, name), logFile: join(folder, `${name}.log`), report })
  const [kafka, redis, registry] = await Promise.all([
    startKafka({ ...at('kafka'), port, controllerPort, version, settings: forgetfulBroker }),
    startRedis({ ...at('redis'), port: redisPort }),
    startRegistry({ ...at('registry'), port: registryPort, kafkaBrokers: `127.0.0.1:${port}` }),
  ])
  return {
    ...{ version, redis, registry },
    brokers: [kafka.address],
    registryUrl: `http://127.0.0.1:${registryPort}/apis/ccompat/v7`,
    stop: async () => {
      await registry.stop()
      await Promise.all([kafka.stop(), redis.stop()])
    },
  }
}
