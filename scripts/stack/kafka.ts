import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { classDataOptions, keepClassData } from './class-data.ts'
import { kafkaDistribution } from './distributions.ts'
import { givenUp } from './give-up.ts'
import { type KafkaNode, kafkaProperties } from './kafka-config.ts'
import { liveBrokers } from './kafka-probe.ts'
import type { Login } from './login.ts'
import { makePrivateFolder, privateFileMode, writePrivateFile } from './private-files.ts'
import { runCommand } from './run-command.ts'
import { type Report, type Server, startServer } from './server.ts'
import { type KafkaVersion, versions } from './versions.ts'

/** Less JIT compilation: a quicker start, but slower under load. */
export const quickStart = '-XX:TieredStopAtLevel=1'
/** Java's options of a broker that is not started and stopped all the time. */
export const kafkaMemory: readonly string[] = ['-Xms256m', '-Xmx512m']
const formatMsMax = 60_000
const loggingFile = fileURLToPath(new URL('log4j2.properties', import.meta.url))

/** A running broker. */
export interface KafkaBroker extends Server {
  /** `host:port` for clients. */
  readonly address: string
}

interface KafkaOptions {
  readonly port: number
  readonly controllerPort: number
  /** Its data and properties; created if missing, and reused by the next start. */
  readonly folder: string
  readonly logFile: string
  readonly version?: KafkaVersion
  /** Properties in addition to the default ones. */
  readonly settings?: Readonly<Record<string, string>>
  /** The login that every client needs (SASL_PLAINTEXT, PLAIN); default: none. */
  readonly login?: Login | undefined
  readonly report: Report
}

/** Settings shared by all nodes of one cluster. */
export interface NodeSetting {
  readonly clusterId: string
  readonly nodes: readonly KafkaNode[]
  readonly jars: string
  /** Java's options for memory and speed. */
  readonly java: readonly string[]
  readonly settings?: Readonly<Record<string, string>>
  readonly login?: Login | undefined
  readonly report?: Report
}

/** Starts a single-node Kafka. */
export async function startKafka(options: KafkaOptions): Promise<KafkaBroker> {
  const { port, controllerPort, folder, logFile, settings = {}, login, report } = options
  const jars = await kafkaDistribution(options.version ?? versions.kafka, report)
  const node = { id: 1, port, controllerPort, data: join(folder, 'log') }
  const setting = {
    clusterId: clusterIdOf(folder),
    nodes: [node],
    jars,
    java: kafkaMemory,
    settings,
    login,
    report,
  }
  return startNode(node, setting, folder, logFile)
}

/** Formats a node's folder if necessary, and starts the node. */
export async function startNode(
  node: KafkaNode,
  setting: NodeSetting,
  folder: string,
  logFile: string,
): Promise<KafkaBroker> {
  const { jars, nodes, settings = {}, login, report } = setting
  const name = nodes.length === 1 ? 'Kafka' : `Kafka broker ${node.id}`
  const properties = join(folder, 'server.properties')
  makePrivateFolder(folder)
  writePrivateFile(properties, kafkaProperties(node, nodes, { login, more: settings }))
  await formatOnce(node, setting, properties)
  const server = await startServer({
    name,
    command: 'java',
    args: [...setting.java, ...classDataOptions(jars), ...javaFlags(jars), 'kafka.Kafka', properties],
    cwd: folder,
    logFile,
    report,
    healthy: async () => (await liveBrokers({ host: '127.0.0.1', port: node.port }, login)).includes(node.id),
  })
  await keepClassData(jars, server, { cwd: folder, report })
  return { ...server, address: `127.0.0.1:${node.port}` }
}

/**
 * The id of the cluster whose data are in this folder. It is stored there, so that an interrupted format can be
 * repeated.
 */
export function clusterIdOf(folder: string): string {
  const file = join(folder, 'cluster-id')
  makePrivateFolder(folder)
  if (!existsSync(file)) writeFileSync(file, newClusterId(), { mode: privateFileMode })
  return readFileSync(file, 'utf8')
}

/**
 * 16 bytes in URL-safe base64, as Kafka requires. The first bits are fixed, so that the id never looks like an option.
 */
function newClusterId(): string {
  const bytes = randomBytes(16)
  bytes[0] = 0
  return bytes.toString('base64url')
}

async function formatOnce(
  node: KafkaNode,
  { clusterId, jars }: NodeSetting,
  properties: string,
): Promise<void> {
  if (existsSync(join(node.data, 'meta.properties'))) return
  const java = ['-Xmx128m', quickStart, ...classDataOptions(jars), ...javaFlags(jars)]
  const tool = ['kafka.tools.StorageTool', 'format', '--ignore-formatted']
  await runCommand('java', [...java, ...tool, '-t', clusterId, '-c', properties], {
    isPrivate: true,
    timeoutMs: formatMsMax,
    signal: givenUp,
  })
}

function javaFlags(jars: string): string[] {
  return [
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${loggingFile}`,
    '-cp',
    join(jars, '*'),
  ]
}
