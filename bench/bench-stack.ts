import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  freePorts,
  type Server,
  startKafka,
  startPostgres,
  startRedis,
  startRegistry,
} from '../scripts/stack/index.ts'

/** The aggregate types: the first two have a module each in bench/domain, the last is from examples/customers. */
type BenchType = (typeof benchTypes)[number]
const benchTypes = ['bench-core', 'bench-http', 'customer'] as const

/** Servers for one bench, on free ports, stopped when it ends. */
export interface BenchStack {
  /** The environment of the services for an aggregate type: separate topic, keys, groups and port. */
  envOf(type: BenchType): Readonly<Record<string, string>>
  readonly kafkaBroker: string
  /** Starts PostgreSQL. @returns its URL. */
  startPostgres(): Promise<string>
  close(): Promise<void>
}

const domainFolder = join(import.meta.dirname, 'domain')
const repository = join(import.meta.dirname, '..')

export async function startBenchStack(say: (line: string) => void): Promise<BenchStack> {
  const home = mkdtempSync(join(tmpdir(), 'annals-bench-'))
  // PostgreSQL runs as another user, who must be able to traverse the folder.
  chmodSync(home, 0o711)
  const servers: Server[] = []
  const [
    kafkaPort = 0,
    controllerPort = 0,
    redisPort = 0,
    registryPort = 0,
    postgresPort = 0,
    ...servicePorts
  ] = await freePorts(8)
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
  const kept = async <Started extends Server>(starting: Promise<Started>): Promise<Started> => {
    const server = await starting
    servers.push(server)
    return server
  }
  try {
    const kafka = await kept(startKafka({ ...placed('kafka', kafkaPort), controllerPort }))
    const redis = await kept(startRedis({ ...placed('redis', redisPort), maxMemory: '4gb' }))
    const registry = await kept(
      startRegistry({ ...placed('registry', registryPort), kafkaBrokers: kafka.address }),
    )
    return {
      kafkaBroker: kafka.address,
      envOf: (type) => ({
        ANNALS_KAFKA_BROKERS: kafka.address,
        ANNALS_REDIS_URL: redis.url,
        // A busy machine answers late: that is measured, not cut off.
        ANNALS_REDIS_COMMAND_TIMEOUT: '30s',
        ANNALS_REGISTRY_URL: registry.url,
        ANNALS_REDIS_KEY_PREFIX: type,
        ANNALS_WRITER_GROUP: type,
        ANNALS_PROJECTOR_GROUP: `${type}-projector`,
        ANNALS_SNAPSHOTTER_GROUP: `${type}-snapshotter`,
        ...domainOf(type, home),
        ANNALS_PORT: String(servicePorts[benchTypes.indexOf(type)]),
      }),
      startPostgres: async () => (await kept(startPostgres(placed('postgres', postgresPort)))).url,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
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
