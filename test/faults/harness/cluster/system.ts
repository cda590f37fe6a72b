import { join } from 'node:path'

import { freshDomain, type FreshDomain } from '../../../support/services/fresh-domain.ts'
import type { RecreatedTopic, ShortenedPartition } from '../checker/index.ts'
import type { Random } from '../random.ts'
import { Hold, holdModule } from './hold.ts'
import { closeLinks, type LinkedService, linkService, urlOf } from './linked-service.ts'
import type { UnexpectedExit, ServiceKind } from './service-post.ts'
import type { RedisNode } from './redis-servers.ts'
import type { Servers } from './servers.ts'
import type { Traits } from './traits.ts'

export const partitions = 4

/**
 * Settings of every service of a seed, in addition to addresses. Times are short, so that many faults fit into a
 * minute.
 */
const commonSettings = {
  ANNALS_KAFKA_PARTITIONS: String(partitions),
  ANNALS_KAFKA_REPLICATION: '3',
  ANNALS_KAFKA_MIN_INSYNC: '2',
  ANNALS_KAFKA_REQUEST_TIMEOUT: '3s',
  ANNALS_KAFKA_CONNECT_TIMEOUT: '2s',
  ANNALS_REDIS_COMMAND_TIMEOUT: '1s',
  ANNALS_REGISTRY_TIMEOUT: '2s',
  ANNALS_WRITER_SESSION_TIMEOUT: '6s',
  ANNALS_WRITER_APPEND_TIMEOUT: '8s',
  ANNALS_WRITER_READ_TIMEOUT: '3s',
  ANNALS_WRITER_ROUTING_TIMEOUT: '2s',
  ANNALS_PROJECTOR_SESSION_TIMEOUT: '6s',
  ANNALS_SNAPSHOTTER_SESSION_TIMEOUT: '6s',
}

/** A paused owner must still answer what it decided before the pause, so that its callers get the answer. */
const patientSettings = { ANNALS_WRITER_APPEND_TIMEOUT: '30s' }

const clockModule = new URL('clock.ts', import.meta.url).href

interface SystemOptions {
  /** Module of a broken variant, preloaded into every service. */
  readonly preload: string | undefined
  readonly traits: Traits
  /** The folder for logs, clocks and holds. */
  readonly folder: string
}

/**
 * The installation of one seed on the shared servers: its own topics, keys and groups, and the services that use them.
 */
export class System {
  readonly servers: Servers
  readonly domain: FreshDomain
  readonly name: string
  readonly writers: LinkedService[] = []
  readonly projectors: LinkedService[] = []
  readonly snapshotters: LinkedService[] = []
  /** What faults have removed permanently. */
  readonly decrees: { readonly recreated: RecreatedTopic[]; readonly shortened: ShortenedPartition[] } = {
    recreated: [],
    shortened: [],
  }
  readonly #options: SystemOptions
  readonly #departed: UnexpectedExit[] = []
  #joined = 0

  /** Starts two or three writers, two projectors, and one or two snapshotters; they may not serve yet. */
  static async start(servers: Servers, random: Random, options: SystemOptions): Promise<System> {
    const system = new System(servers, options)
    const counts = [random.between(2, 3), 2, random.between(1, 2)] as const
    await Promise.all(system.redisNodes.map((node) => node.command('FLUSHALL')))
    await system.#link(counts)
    for (const { post } of system.services) await post.start()
    return system
  }

  private constructor(servers: Servers, options: SystemOptions) {
    this.servers = servers
    this.#options = options
    this.domain = freshDomain(2)
    this.name = this.domain.types[0] ?? ''
  }

  get services(): readonly LinkedService[] {
    return [...this.writers, ...this.projectors, ...this.snapshotters]
  }

  get redisKeyPrefix(): string {
    return this.name
  }

  get traits(): Traits {
    return this.#options.traits
  }

  /** The Redis nodes that the services use. */
  get redisNodes(): readonly RedisNode[] {
    const { redis, redisCluster } = this.servers
    return this.traits.redis === 'cluster' ? redisCluster.nodes : [redis]
  }

  get redisUrl(): string {
    const { redis, redisCluster } = this.servers
    return this.traits.redis === 'cluster' ? redisCluster.url : redis.url
  }

  /** Stops a writer between its decision and its produce request. */
  holdOf({ post }: LinkedService): Hold {
    return new Hold(join(this.#options.folder, `${post.name}.hold`))
  }

  /** The file that sets the clock of a writer. */
  clockFileOf({ post }: LinkedService): string {
    return join(this.#options.folder, `${post.name}.clock`)
  }

  /** Starts one more writer. @returns a function that stops it. */
  async joinWriter(): Promise<() => Promise<void>> {
    const joined = await this.#linked('writer', `writer-joined-${++this.#joined}`)
    await joined.post.start()
    return async () => {
      await joined.post.leave()
      this.#departed.push(...joined.post.unexpectedExits)
      await closeLinks(joined)
    }
  }

  /** Stops all services in order, and starts them again. */
  async restartServices(): Promise<void> {
    await Promise.all(this.services.map(({ post }) => post.leave()))
    await Promise.all(this.services.map(({ post }) => post.start()))
  }

  /** The environment of an operator's shell, bypassing all links. */
  get operatorEnv(): Readonly<Record<string, string>> {
    const { brokers, registry } = this.servers
    return {
      ...this.#commonEnv,
      ANNALS_KAFKA_BROKERS: brokers.join(','),
      ANNALS_REDIS_URL: this.redisUrl,
      ANNALS_REGISTRY_URL: registry.url,
      ANNALS_KAFKA_CLIENT_ID: 'operator',
      ANNALS_URL: this.writers[0]?.post.url ?? '',
    }
  }

  /** Processes that exited unexpectedly. */
  get unexpectedExits(): readonly UnexpectedExit[] {
    return [...this.#departed, ...this.services.flatMap(({ post }) => post.unexpectedExits)]
  }

  async stop(): Promise<void> {
    await Promise.all(this.services.map(({ post }) => post.leave()))
    await Promise.all(this.services.map(closeLinks))
    this.domain.remove()
  }

  async #link([writers, projectors, snapshotters]: readonly [number, number, number]): Promise<void> {
    const several = (kind: ServiceKind, count: number) =>
      Promise.all(Array.from({ length: count }, (_, index) => this.#linked(kind, `${kind}-${index + 1}`)))
    this.writers.push(...(await several('writer', writers)))
    this.projectors.push(...(await several('projector', projectors)))
    this.snapshotters.push(...(await several('snapshotter', snapshotters)))
  }

  get #commonEnv(): Readonly<Record<string, string>> {
    return {
      ...commonSettings,
      ...(this.traits.forgetsIds && patientSettings),
      ANNALS_REDIS_KEY_PREFIX: this.redisKeyPrefix,
      ANNALS_WRITER_GROUP: this.name,
      ANNALS_PROJECTOR_GROUP: `${this.name}-projector`,
      ANNALS_SNAPSHOTTER_GROUP: `${this.name}-snapshotter`,
      ANNALS_DOMAIN: this.domain.modulePath,
      ANNALS_SCHEMAS: this.domain.schemaFolder,
    }
  }

  #linked(kind: ServiceKind, name: string): Promise<LinkedService> {
    const { preload, folder, traits } = this.#options
    const modules = [
      ...(kind === 'writer' ? [clockModule, holdModule] : []),
      ...(preload === undefined ? [] : [preload]),
    ]
    return linkService(kind, this.servers, {
      ...{ name, traits },
      nodeArgs: modules.flatMap((module) => ['--import', module]),
      logFolder: folder,
      env: {
        ...this.#commonEnv,
        TEST_CLOCK_FILE: join(folder, `${name}.clock`),
        TEST_HOLD_FILE: join(folder, `${name}.hold`),
        ANNALS_KAFKA_CLIENT_ID: name,
        ANNALS_SNAPSHOTTER_WRITER_URLS: this.writers.map(({ peers }) => urlOf(peers)).join(','),
        // A service may start while the registry is down, as the guide recommends.
        ANNALS_REGISTRY_ID_FILE: join(folder, `${name}.schema-ids.json`),
      },
    })
  }
}
