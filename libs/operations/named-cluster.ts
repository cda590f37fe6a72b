import type { Config } from '#config'
import type { KafkaCluster } from '#kafka'

/** The Kafka cluster that a job works on. */
export interface NamedCluster {
  readonly clusterId: string
  readonly brokers: readonly string[]
}

/** The cluster of a connection, with the brokers of its configuration. */
export const clusterOf = (
  { clusterId }: Pick<KafkaCluster, 'clusterId'>,
  { kafka }: Pick<Config, 'kafka'>,
): NamedCluster => ({ clusterId, brokers: kafka.brokers })

/** In a sentence: `Kafka cluster kPXRgdmS at 127.0.0.1:9092`. */
export const clusterText = ({ clusterId, brokers }: NamedCluster): string =>
  `Kafka cluster ${clusterId} at ${brokers.join(', ')}`
