import { loadConfig } from '#config'
import { KafkaCluster, Topics } from '#kafka'
import { kafkaSettings } from '#service'

/** Aggregate types of the examples, which `start.sh` serves by default. */
const exampleTypes = ['customer', 'order']

/**
 * Aggregate types in Kafka other than those of the examples. @param brokers `host:port,…`. @throws LogError,
 * ConfigError
 */
export async function otherTypes(brokers: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const cluster = await KafkaCluster.connect(
    kafkaSettings(loadConfig({ ...env, ANNALS_KAFKA_BROKERS: brokers })),
  )
  try {
    return (await new Topics(cluster).aggregateTypes()).filter((type) => !exampleTypes.includes(type))
  } finally {
    await cluster.close()
  }
}
