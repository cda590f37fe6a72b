import type { Config } from '#config'
import type { DomainModule } from '#domain'
import { KafkaCluster, LogReader, Topics } from '#kafka'
import { withBuiltIns } from '#projections'
import { SchemaRegistry } from '#schemas'
import { kafkaSettings, loadDomain, registryOptions } from '#service'

/** What backups read and restores write. Redis is not needed: everything in it is derived from the log. */
export interface OpenLog {
  readonly config: Config
  readonly cluster: KafkaCluster
  readonly topics: Topics
  readonly reader: LogReader
  readonly registry: SchemaRegistry
}

/** Opens the log for as long as it is used. The signal ends the opening: its reason is thrown. */
export type LogOpener = <T>(use: (log: OpenLog) => Promise<T>, signal: AbortSignal) => Promise<T>

/** Uses connections and closes them afterwards. @throws ConfigError, LogError, and what `use` throws. */
async function withLog<T>(
  config: Config,
  use: (log: OpenLog) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const registry = new SchemaRegistry(registryOptions(config))
  const cluster = await KafkaCluster.connect(kafkaSettings(config), { signal })
  try {
    const topics = new Topics(cluster)
    return await use({ config, cluster, topics, reader: new LogReader(cluster), registry })
  } finally {
    await cluster.close()
  }
}

/** The opener for the servers of a configuration. */
export const logOpener =
  (config: Config): LogOpener =>
  (use, signal) =>
    withLog(config, use, signal)

/** The domain of a configuration, with its built-in projections. @throws InvalidInputError */
export const domainOf = async ({ domain, projector }: Config): Promise<DomainModule> =>
  withBuiltIns(await loadDomain(domain.modules), projector.builtIn)
