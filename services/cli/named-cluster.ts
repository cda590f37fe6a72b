import type { Config } from '#config'
import type { KafkaCluster } from '#kafka'

import type { Report } from './cli.ts'

/** Which Kafka a command has looked at. */
export interface NamedCluster {
  readonly clusterId: string
  readonly brokers: readonly string[]
}

export const clusterOf = (
  { clusterId }: Pick<KafkaCluster, 'clusterId'>,
  { kafka }: Pick<Config, 'kafka'>,
): NamedCluster => ({ clusterId, brokers: kafka.brokers })

/** In a sentence: `Kafka cluster kPXRgdmS at 127.0.0.1:9092`. */
export const clusterText = ({ clusterId, brokers }: NamedCluster): string =>
  `Kafka cluster ${clusterId} at ${brokers.join(', ')}`

/** A report that begins with the cluster it is about: who asked another one than was meant sees it at once. */
export const ofCluster = (cluster: NamedCluster, report: Report): Report => ({
  ...report,
  document: { cluster, ...report.document },
  text: `${clusterText(cluster)}\n${report.text}`,
})
