import { connect } from 'node:net'
import { join } from 'node:path'

import {
  freePorts,
  type KafkaCluster,
  liveBrokers,
  type Registry,
  startKafkaCluster,
  startRegistry,
} from '../../../../scripts/stack/index.ts'
import { Link } from './link.ts'
import { PostgresServer } from './postgres-server.ts'
import { RedisClusterServers, RedisServer } from './redis-servers.ts'
import type { Traits } from './traits.ts'

/** How long a coordinator remembers an unused id when brokers are set to forget. */
export const forgetAfterMs = 8_000

const forgetfulBrokers = {
  'transactional.id.expiration.ms': String(forgetAfterMs),
  'transaction.remove.expired.transaction.cleanup.interval.ms': '1000',
}

type Parts = Pick<
  Servers,
  'kafka' | 'redis' | 'redisCluster' | 'postgres' | 'registry' | 'forgetsIds' | 'brokerLinks'
>

/** The servers that the services under test use. Started once, disrupted and healed for many seeds. */
export class Servers {
  readonly kafka: KafkaCluster
  readonly redis: RedisServer
  readonly redisCluster: RedisClusterServers
  readonly postgres: PostgresServer
  readonly registry: RegistryServer
  /** Whether the brokers forget transactional ids that were unused for {@link forgetAfterMs}. */
  readonly forgetsIds: boolean
  /** The links between brokers: two to each, one to the broker and one to its controller. */
  readonly brokerLinks: readonly Link[]

  private constructor(parts: Parts) {
    this.kafka = parts.kafka
    this.redis = parts.redis
    this.redisCluster = parts.redisCluster
    this.postgres = parts.postgres
    this.registry = parts.registry
    this.forgetsIds = parts.forgetsIds
    this.brokerLinks = parts.brokerLinks
  }

  /**
   * Starts three brokers, Redis, a Redis Cluster, PostgreSQL and the registry on free ports. @param folder for their
   * data and logs.
   */
  static async start(folder: string, { forgetsIds }: Pick<Traits, 'forgetsIds'>): Promise<Servers> {
    const brokerLinks: Link[] = []
    const wayTo = async (port: number, name: string) => {
      const link = await Link.open(`brokers→${name}`, port)
      brokerLinks.push(link)
      return link.port
    }
    const kafka = await startKafkaCluster({
      ...{ folder: join(folder, 'kafka'), report: () => undefined, wayTo },
      settings: forgetsIds ? forgetfulBrokers : {},
    })
    const [redisPort = 0, registryPort = 0, postgresPort = 0] = await freePorts(3)
    const redis = new RedisServer(redisPort, join(folder, 'redis'))
    const registry = new RegistryServer(registryPort, join(folder, 'registry'), addresses(kafka))
    const postgres = new PostgresServer(postgresPort, join(folder, 'postgres'))
    const [redisCluster] = await Promise.all([
      RedisClusterServers.start(join(folder, 'redis-cluster')),
      ...[redis.start(), registry.start(), postgres.start()],
    ])
    return new Servers({ kafka, redis, redisCluster, postgres, registry, forgetsIds, brokerLinks })
  }

  get brokers(): readonly string[] {
    return this.kafka.brokers.map(({ address }) => address)
  }

  /**
   * Whether every broker sees every other one, and all other servers respond. Otherwise the next seed must not use
   * them.
   */
  async areHealthy(): Promise<boolean> {
    const seen = await Promise.allSettled([
      ...this.brokers.map(async (address) => (await liveBrokers(addressOf(address))).length === 3),
      this.redis.command('PING').then(() => true),
      this.redisCluster.isWhole(),
      isOpen(this.postgres.port),
    ])
    return seen.every((one) => one.status === 'fulfilled' && one.value)
  }

  async stop(): Promise<void> {
    const { registry, redis, redisCluster, postgres, kafka } = this
    await Promise.all([registry, redis, redisCluster, postgres, kafka].map((server) => server.stop()))
    await Promise.all(this.brokerLinks.map((link) => link.close()))
  }
}

const addresses = ({ brokers }: KafkaCluster): string => brokers.map(({ address }) => address).join(',')

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

const addressOf = (address: string) => ({ host: '127.0.0.1', port: Number(address.split(':')[1]) })

/** The schema registry. It can be stopped, and has all its schemas after a restart. */
class RegistryServer {
  readonly port: number
  readonly #folder: string
  readonly #brokers: string
  #running: Registry | undefined

  constructor(port: number, folder: string, brokers: string) {
    this.port = port
    this.#folder = folder
    this.#brokers = brokers
  }

  /** URL of its Confluent-compatible API. */
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
