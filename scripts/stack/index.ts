export { defaultHome, distFolder, homeFrom, repository, type StackFolders, stackFolders } from './folders.ts'
export { isAlive } from './is-alive.ts'
export { endKept } from './keeper-client.ts'
export { kafkaProperties } from './kafka-config.ts'
export { type KafkaBroker, type KafkaOptions, startKafka } from './kafka.ts'
export {
  type ClusterBroker,
  type KafkaCluster,
  type KafkaClusterOptions,
  startKafkaCluster,
} from './kafka-cluster.ts'
export { liveBrokers } from './kafka-probe.ts'
export { lastLines } from './log-file.ts'
export { nodeArguments } from './node-arguments.ts'
export { assertFree, freePorts, isFree, type PortWish } from './ports.ts'
export { makePrivate, makePrivateFolder, makePrivateStack, privateFileMode } from './private-files.ts'
export { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'
export { type Address, ask, httpOk, httpStatus, redisCommand } from './probes.ts'
export { type Redis, type RedisOptions, startRedis } from './redis.ts'
export { type RedisCluster, type RedisClusterNode, startRedisCluster } from './redis-cluster.ts'
export { type Registry, type RegistryOptions, startRegistry } from './registry.ts'
export { missingForNative, provideModelTools, provideNativeTools } from './requirements.ts'
export { runCommand } from './run-command.ts'
export { describe, type Report, type Server, type ServerOptions, startServer, withLog } from './server.ts'
export { StackError } from './stack-error.ts'
export { until } from './until.ts'
export { images, type KafkaVersion, versions } from './versions.ts'
