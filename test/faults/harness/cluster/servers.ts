import { join } from 'node:path'

import {
  freePorts,
  type KafkaCluster,
  liveBrokers,
  type Redis,
  redisCommand,
  type Registry,
  startKafkaCluster,
  startRedis,
  startRegistry,
} from '../../../../scripts/stack/index.ts'
import { Link } from './link.ts'

/** What the services under test stand on. Started once, harmed and healed for many seeds. */
export class Servers {
  readonly kafka: KafkaCluster
  readonly redis: RedisServer
  readonly registry: RegistryServer
  /** The ways of the brokers to each other: two to each, to the broker and to its controller. */
  readonly brokerLinks: readonly Link[]

  private constructor(
    kafka: KafkaCluster,
    redis: RedisServer,
    registry: RegistryServer,
    brokerLinks: readonly Link[],
  ) {
    this.kafka = kafka
    this.redis = redis
    this.registry = registry
    this.brokerLinks = brokerLinks
  }

  /** Three brokers, Redis and the registry on free ports. @param folder of their data and logs. */
  static async start(folder: string): Promise<Servers> {
    const brokerLinks: Link[] = []
    const wayTo = async (port: number, name: string) => {
      const link = await Link.open(`brokers→${name}`, port)
      brokerLinks.push(link)
      return link.port
    }
    const kafka = await startKafkaCluster({ folder: join(folder, 'kafka'), report: () => undefined, wayTo })
    const [redisPort = 0, registryPort = 0] = await freePorts(2)
    const redis = new RedisServer(redisPort, join(folder, 'redis'))
    const registry = new RegistryServer(registryPort, join(folder, 'registry'), addresses(kafka))
    await Promise.all([redis.start(), registry.start()])
    return new Servers(kafka, redis, registry, brokerLinks)
  }

  get brokers(): readonly string[] {
    return this.kafka.brokers.map(({ address }) => address)
  }

  /** Whether every broker knows every other, and the rest answers: only then the next seed may use them. */
  async areHealthy(): Promise<boolean> {
    const seen = await Promise.allSettled([
      ...this.brokers.map(async (address) => (await liveBrokers(addressOf(address))).length === 3),
      this.redis.tell('PING').then(() => true),
    ])
    return seen.every((one) => one.status === 'fulfilled' && one.value)
  }

  async stop(): Promise<void> {
    await Promise.all([this.registry.stop(), this.redis.stop(), this.kafka.stop()])
    await Promise.all(this.brokerLinks.map((link) => link.close()))
  }
}

/** A command is no probe: a machine that stands still for seconds answers it, too. */
const commandMsMax = 30_000

const addresses = ({ brokers }: KafkaCluster): string => brokers.map(({ address }) => address).join(',')

const addressOf = (address: string) => ({ host: '127.0.0.1', port: Number(address.split(':')[1]) })

/** A Redis that keeps its append-only file, as in production. */
export class RedisServer {
  readonly port: number
  readonly #folder: string
  #running: Redis | undefined

  constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const logFile = join(this.#folder, 'redis.log')
    const settings = ['--enable-debug-command', 'local']
    this.#running = await startRedis({ port: this.port, folder: this.#folder, logFile, settings })
  }

  async kill(): Promise<void> {
    this.#running?.kill('SIGKILL')
    await this.#running?.exited
  }

  signal(name: NodeJS.Signals): void {
    this.#running?.kill(name)
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  /** @throws Error what Redis says against it. */
  async tell(command: string): Promise<string> {
    const answer = await redisCommand({ host: '127.0.0.1', port: this.port }, command, commandMsMax)
    if (answer.startsWith('-')) throw new Error(`Redis refuses ${command}: ${answer.trim()}`)
    return answer
  }
}

/** The schema registry: it can be away, and comes back with all it knew. */
export class RegistryServer {
  readonly port: number
  readonly #folder: string
  readonly #brokers: string
  #running: Registry | undefined

  constructor(port: number, folder: string, brokers: string) {
    this.port = port
    this.#folder = folder
    this.#brokers = brokers
  }

  /** Of its Confluent-compatible API. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/apis/ccompat/v7`
  }

  async start(): Promise<void> {
    this.#running = await startRegistry({
      port: this.port,
      folder: this.#folder,
      logFile: join(this.#folder, 'registry.log'),
      kafkaBrokers: this.#brokers,
      report: () => undefined,
    })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }
}
