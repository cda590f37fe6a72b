import { join } from 'node:path'

import {
  type Redis,
  redisCommand,
  type RedisCluster,
  type RedisClusterNode,
  startRedis,
  startRedisCluster,
} from '../../../../scripts/stack/index.ts'
import { killNow } from './kill-now.ts'

/** A command is not a probe: it is answered even by a machine that stalls for seconds. */
const commandMsMax = 30_000

/** Needed to load an older dump in place. */
const disruptable = ['--enable-debug-command', 'local']

/** A Redis to disrupt: the only one, or a node of a cluster. */
export interface RedisNode {
  readonly port: number
  kill(): Promise<void>
  /** Starts it on its data again after a kill. */
  start(): Promise<void>
  signal(name: NodeJS.Signals): void
  /** @throws Error with the error of Redis. */
  command(command: string): Promise<string>
}

async function commandOf(port: number, command: string): Promise<string> {
  const answer = await redisCommand({ host: '127.0.0.1', port }, command, commandMsMax)
  if (answer.startsWith('-')) throw new Error(`Redis rejects ${command}: ${answer.trim()}`)
  return answer
}

/** A Redis with an append-only file, as in production. */
export class RedisServer implements RedisNode {
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
    const { port } = this
    this.#running = await startRedis({ port, folder: this.#folder, logFile, settings: disruptable })
  }

  kill(): Promise<void> {
    return killNow(this.#running)
  }

  signal(name: NodeJS.Signals): void {
    this.#running?.kill(name)
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  command(command: string): Promise<string> {
    return commandOf(this.port, command)
  }
}

/** Three masters, each with an append-only file. While one is down, the others reject requests too. */
export class RedisClusterServers {
  readonly nodes: readonly RedisNode[]
  readonly #cluster: RedisCluster

  private constructor(cluster: RedisCluster) {
    this.#cluster = cluster
    this.nodes = cluster.nodes.map((node) => new ClusterNode(node))
  }

  static async start(folder: string): Promise<RedisClusterServers> {
    return new RedisClusterServers(await startRedisCluster({ folder, settings: disruptable }))
  }

  /** Some of its nodes, separated by commas. */
  get url(): string {
    return this.#cluster.nodes.map(({ url }) => url).join(',')
  }

  /** Whether every node serves and sees the others as serving. */
  async isWhole(): Promise<boolean> {
    const answers = await Promise.all(this.nodes.map((node) => node.command('CLUSTER INFO')))
    return answers.every((answer) => answer.includes('cluster_state:ok'))
  }

  stop(): Promise<void> {
    return this.#cluster.stop()
  }
}

class ClusterNode implements RedisNode {
  readonly #node: RedisClusterNode

  constructor(node: RedisClusterNode) {
    this.#node = node
  }

  get port(): number {
    return this.#node.port
  }

  kill(): Promise<void> {
    this.#node.kill('SIGKILL')
    return Promise.resolve()
  }

  start(): Promise<void> {
    return this.#node.restart()
  }

  signal(name: NodeJS.Signals): void {
    this.#node.kill(name)
  }

  command(command: string): Promise<string> {
    return commandOf(this.port, command)
  }
}
