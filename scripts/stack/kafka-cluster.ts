import { join } from 'node:path'
import { kafkaDistribution } from './distributions.ts'
import { clusterIdOf, type KafkaBroker, type NodeSetting, quickStart, startNode } from './kafka.ts'
import type { KafkaNode } from './kafka-config.ts'
import { freePorts } from './ports.ts'
import type { Report } from './server.ts'
import { type KafkaVersion, versions } from './versions.ts'

const size = 3
/** For tests that start and disrupt brokers often. */
const javaOfTests = ['-Xms128m', '-Xmx320m', quickStart]

/** One broker of a cluster that a test disrupts. */
export interface ClusterBroker {
  readonly id: number
  /** `host:port` for clients; does not change on a restart. */
  readonly address: string
  /** The pid of the current process. */
  readonly pid: number
  /** SIGKILL ends it at once, SIGSTOP freezes it, SIGCONT resumes it. */
  kill(signal: NodeJS.Signals): void
  /** Ends it if it still runs, and starts it on its data again; returns when it serves and reports itself live. */
  restart(): Promise<void>
}

/** Three brokers, each a controller too: replication 3, `min.insync.replicas` 2. */
export interface KafkaCluster {
  readonly brokers: readonly ClusterBroker[]
  /** Ends all brokers at once, for throw-away data. */
  stop(): Promise<void>
}

interface KafkaClusterOptions {
  readonly folder: string
  readonly version?: KafkaVersion
  /** Properties in addition to the default ones. */
  readonly settings?: Readonly<Record<string, string>>
  readonly report: Report
  /** Java's options for memory and speed of each broker; default: small, and quick to start. */
  readonly java?: readonly string[]
  /**
   * A port that forwards to a broker's port, used by the other brokers; a proxy can be placed there. Default: the port
   * itself.
   */
  readonly wayTo?: (port: number, name: string) => Promise<number>
}

/** Starts a Kafka of three brokers on free ports, for failover tests. */
export async function startKafkaCluster(options: KafkaClusterOptions): Promise<KafkaCluster> {
  const { folder, report, settings = {}, java = javaOfTests } = options
  const { wayTo = (port: number) => Promise.resolve(port) } = options
  const jars = await kafkaDistribution(options.version ?? versions.kafka, report)
  const ports = await freePorts(3 * size)
  const nodes = await Promise.all(
    Array.from({ length: size }, async (_, index): Promise<KafkaNode> => {
      const [port = 0, controllerPort = 0, peerPort = 0] = ports.slice(3 * index)
      const id = index + 1
      const peers = { port: peerPort, reachedAt: await wayTo(peerPort, `broker-${id}`) }
      const controllerReachedAt = await wayTo(controllerPort, `controller-${id}`)
      const data = join(folder, `broker-${id}`, 'log')
      return { id, port, controllerPort, controllerReachedAt, peers, data }
    }),
  )
  const setting = { clusterId: clusterIdOf(folder), nodes, jars, java, settings, report }
  const brokers = await Promise.all(nodes.map((node) => startClusterBroker(node, setting, folder)))
  return {
    brokers,
    stop: async () => {
      await Promise.all(brokers.map((broker) => broker.end()))
    },
  }
}

interface EndableBroker extends ClusterBroker {
  end(): Promise<void>
}

async function startClusterBroker(
  node: KafkaNode,
  setting: NodeSetting,
  folder: string,
): Promise<EndableBroker> {
  const start = (): Promise<KafkaBroker> =>
    startNode(node, setting, join(folder, `broker-${node.id}`), join(folder, 'logs', `broker-${node.id}.log`))
  let running = await start()
  const end = async () => {
    running.kill('SIGKILL')
    await running.exited
  }
  return {
    id: node.id,
    address: running.address,
    get pid() {
      return running.pid
    },
    kill: (signal) => running.kill(signal),
    restart: async () => {
      await end()
      running = await start()
    },
    end,
  }
}
