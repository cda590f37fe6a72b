import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { redisCommand } from './probes.ts'
import { type Redis, startRedis } from './redis.ts'
import { runCommand } from './run-command.ts'
import type { Report } from './server.ts'
import { until } from './until.ts'

const size = 3
const formMsMax = 30_000

/** A Redis Cluster of three masters without replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisClusterNode[]
  stop(): Promise<void>
}

/** One node of the cluster, for tests that disrupt it. */
export interface RedisClusterNode extends Pick<Redis, 'port' | 'url'> {
  kill(signal: NodeJS.Signals): void
  /** Ends it if it still runs, and starts it on its data again, as the same member. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts three Redis servers on free ports and joins them to a cluster that serves all slots. */
export async function startRedisCluster(options: {
  readonly folder: string
  /** Further settings of each node, as redis-server options. */
  readonly settings?: readonly string[]
  readonly report?: Report
}): Promise<RedisCluster> {
  const { folder, settings: more = [], report } = options
  const ports = await freePorts(2 * size)
  const nodes = await Promise.all(
    ports.slice(0, size).map((port, index) => {
      const name = `redis-${index + 1}`
      // The cluster bus port is 10,000 higher by default, which may not be a valid port.
      const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(ports[size + index]), ...more]
      const logFile = join(folder, 'logs', `${name}.log`)
      const of = { port, folder: join(folder, name), logFile, settings, report }
      return startNode(() => startRedis({ ...of, name: `Redis node ${index + 1}` }))
    }),
  )
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  await runCommand('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], {
    timeoutMs: formMsMax,
  })
  await until('The Redis cluster serves all slots', formMsMax, () => allServe(nodes))
  return {
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

async function startNode(start: () => Promise<Redis>): Promise<RedisClusterNode> {
  let running = await start()
  const { port, url } = running
  return {
    ...{ port, url },
    kill: (signal) => running.kill(signal),
    restart: async () => {
      running.kill('SIGKILL')
      await running.exited
      running = await start()
    },
    stop: () => running.stop(),
  }
}

async function allServe(nodes: readonly RedisClusterNode[]): Promise<boolean> {
  const answers = await Promise.all(
    nodes.map(({ port }) => redisCommand({ host: '127.0.0.1', port }, 'CLUSTER INFO')),
  )
  return answers.every((answer) => answer.includes('cluster_state:ok'))
}
