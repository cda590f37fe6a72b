import { type Environment, loadConfig } from '#config'
import { KafkaCluster, Topics } from '#kafka'
import { kafkaSettings } from '#service'

/** Aggregate types of the examples, which `start.sh` serves by default. */
const exampleTypes = ['customer', 'order']

/** Aggregate types in Kafka other than those of the examples. @throws LogError, ConfigError */
export async function otherTypes(env: Environment): Promise<readonly string[]> {
  const cluster = await KafkaCluster.connect(kafkaSettings(loadConfig(env)))
  try {
    return (await new Topics(cluster).aggregateTypes()).filter((type) => !exampleTypes.includes(type))
  } finally {
    await cluster.close()
  }
}
