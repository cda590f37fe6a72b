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

/** What the owners of all runs stand on. */
export interface Stand {
  readonly version: KafkaVersion
  readonly brokers: readonly string[]
  readonly redis: Redis
  readonly registry: Registry
  readonly registryUrl: string
  stop(): Promise<void>
}

/** A week and an hour of a coordinator's life, in seconds: it forgets a transactional id that nobody has used for so long. */
const forgetfulBroker = {
  'transactional.id.expiration.ms': '4000',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
}

/** Kafka of one node whose coordinator forgets soon, Redis and the registry. @param folder of their data and logs. */
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
