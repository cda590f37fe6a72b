/**
 * The only place that names versions: the native stack downloads these, and a test checks that docker-compose.yml
 * names the same.
 */
export const versions = {
  kafka: '4.1.0',
  /** The oldest Kafka that the contract tests run against. */
  kafkaOldest: '3.9.1',
  registry: '3.0.9',
  log4j: '2.24.3',
  reload4j: '1.2.26',
  /**
   * The last version whose `copy` does not read an artifact's parents: those of the registry are not in Maven Central.
   */
  mavenDependencyPlugin: '2.8',
  /** For the container images. The native stack uses the package of the system, 7.0 or newer. */
  redis: '7.2.5',
  postgres: '15.7',
  /** A peer of the append bench: a Python package with a server. */
  umadb: '0.7.8',
} as const

export type KafkaVersion = typeof versions.kafka | typeof versions.kafkaOldest

/** The container images that docker-compose.yml and testcontainers run. */
export const images = {
  kafka: `apache/kafka:${versions.kafka}`,
  redis: `redis:${versions.redis}-bookworm`,
  registry: `apicurio/apicurio-registry:${versions.registry}`,
  postgres: `postgres:${versions.postgres}-bookworm`,
} as const
