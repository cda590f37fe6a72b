import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  freePorts,
  kafkaMemory,
  type Report,
  type Server,
  startKafka,
  startKafkaCluster,
  startPostgres,
  startRedis,
  startRegistry,
  startUmaDb,
} from '../scripts/stack/index.ts'

/** The aggregate types: each has a module in bench/domain, except `customer`, which is from examples/customers. */
type BenchType = (typeof benchTypes)[number]
const benchTypes = [
  ...(['bench-core', 'bench-http', 'bench-scale', 'customer'] as const),
  ...(['bench-keys', 'bench-tls', 'bench-keys-tls'] as const),
] as const

/** Servers for one bench, on free ports, stopped when it ends. */
export interface BenchStack {
  /**
   * The environment of the services for an aggregate type: separate topic, keys, groups and port.
   * @param writer the number of the writer process, from 0; each has its own port
   */
  envOf(type: BenchType, writer?: number): Readonly<Record<string, string>>
  /** `host:port` of each broker. */
  readonly kafkaBrokers: readonly string[]
  /** Replicas of the topics of benches. */
  readonly replication: number
  /** The folder of the data of Kafka. */
  readonly kafkaFolder: string
  /** Starts PostgreSQL with the settings that it ships with: every commit is synced to disk. @returns its URL. */
  startPostgres(): Promise<string>
  /** Starts UmaDB, as it ships. @returns its URL. */
  startUmaDb(): Promise<string>
  close(): Promise<void>
}

export interface BenchStackOptions {
  readonly brokers?: 1 | 3
  /** Writer processes of each aggregate type. */
  readonly writers?: number
  /** Memory of Redis, in its notation. */
  readonly redisMemory?: string
}

const domainFolder = join(import.meta.dirname, 'domain')
const repository = join(import.meta.dirname, '..')

export async function startBenchStack(
  say: (line: string) => void,
  { brokers = 1, writers = 1, redisMemory = '4gb' }: BenchStackOptions = {},
): Promise<BenchStack> {
  const home = mkdtempSync(join(tmpdir(), 'annals-bench-'))
  // PostgreSQL runs as another user, who must be able to traverse the folder.
  chmodSync(home, 0o711)
  const servers: Pick<Server, 'stop'>[] = []
  const [redisPort = 0, registryPort = 0, postgresPort = 0, umaDbPort = 0, ...servicePorts] = await freePorts(
    4 + benchTypes.length * writers,
  )
  const placed = (name: string, port: number) => ({
    port,
    folder: join(home, name),
    logFile: join(home, `${name}.log`),
    report: say,
  })
  const close = async () => {
    for (const server of servers.reverse()) await server.stop()
    rmSync(home, { recursive: true, force: true })
  }
  const kept = async <Started extends Pick<Server, 'stop'>>(starting: Promise<Started>): Promise<Started> => {
    const server = await starting
    servers.push(server)
    return server
  }
  try {
    const kafkaFolder = join(home, 'kafka')
    const kafka = await kept(startBrokers(brokers, kafkaFolder, say))
    const redis = await kept(startRedis({ ...placed('redis', redisPort), maxMemory: redisMemory }))
    const registry = await kept(
      startRegistry({ ...placed('registry', registryPort), kafkaBrokers: kafka.addresses.join(',') }),
    )
    const environment = environmentOf(kafka.addresses, redis.url, registry.url)
    return {
      kafkaBrokers: kafka.addresses,
      replication: brokers,
      kafkaFolder,
      envOf: (type, writer = 0) => ({
        ...environment,
        ANNALS_REDIS_KEY_PREFIX: type,
        ANNALS_WRITER_GROUP: type,
        ANNALS_PROJECTOR_GROUP: `${type}-projector`,
        ANNALS_SNAPSHOTTER_GROUP: `${type}-snapshotter`,
        ...domainOf(type, home),
        ANNALS_PORT: String(servicePorts[benchTypes.indexOf(type) * writers + writer]),
      }),
      startPostgres: async () => (await kept(startPostgres(placed('postgres', postgresPort)))).url,
      startUmaDb: async () => (await kept(startUmaDb(placed('umadb', umaDbPort)))).url,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the services of all aggregate types share. */
const environmentOf = (brokers: readonly string[], redisUrl: string, registryUrl: string) => ({
  ANNALS_KAFKA_BROKERS: brokers.join(','),
  ANNALS_KAFKA_REPLICATION: String(brokers.length),
  ANNALS_KAFKA_MIN_INSYNC: brokers.length === 1 ? '1' : '2',
  ANNALS_REDIS_URL: redisUrl,
  // A busy machine answers late: that is measured, not cut off.
  ANNALS_REDIS_COMMAND_TIMEOUT: '30s',
  ANNALS_REGISTRY_URL: registryUrl,
})

interface Brokers {
  readonly addresses: readonly string[]
  stop(): Promise<void>
}

/** One broker or three, with the same memory for each and the full JIT. */
async function startBrokers(brokers: 1 | 3, folder: string, report: Report): Promise<Brokers> {
  if (brokers === 3) {
    const cluster = await startKafkaCluster({ folder, report, java: kafkaMemory })
    return { addresses: cluster.brokers.map(({ address }) => address), stop: () => cluster.stop() }
  }
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const kafka = await startKafka({ port, controllerPort, folder, logFile: `${folder}.log`, report })
  return { addresses: [kafka.address], stop: () => kafka.stop() }
}

/** The schemas of bench/domain are in a folder named after the aggregate type, so each type gets a copy. */
function domainOf(type: BenchType, home: string): Readonly<Record<string, string>> {
  if (type === 'customer') {
    const domain = join(repository, 'examples/customers/domain.ts')
    return { ANNALS_DOMAIN: domain, ANNALS_SCHEMAS: join(repository, 'schemas') }
  }
  const schemas = join(home, 'schemas', type)
  cpSync(join(domainFolder, 'schema'), join(schemas, type), { recursive: true })
  return { ANNALS_DOMAIN: join(domainFolder, `${type}.ts`), ANNALS_SCHEMAS: schemas }
}
