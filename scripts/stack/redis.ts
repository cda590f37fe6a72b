import { makePrivateFolder } from './private-files.ts'
import { redisCommand } from './probes.ts'
import { type Report, type Server, startServer } from './server.ts'

/** A running Redis. */
export interface Redis extends Server {
  readonly port: number
  /** `redis://host:port`. */
  readonly url: string
}

export interface RedisOptions {
  readonly port: number
  readonly folder: string
  readonly logFile: string
  /** In the notation of Redis (`512mb`). Above it, only keys with a time to live are evicted. */
  readonly maxMemory?: string
  /** Further redis-server options: `['--cluster-enabled', 'yes']`. */
  readonly settings?: readonly string[]
  readonly name?: string
  readonly report?: Report | undefined
}

/** Starts a Redis that keeps its data in an append-only file. */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const { port, folder, logFile, maxMemory = '512mb', settings = [], name = 'Redis', report } = options
  makePrivateFolder(folder)
  const own = {
    bind: '127.0.0.1',
    port,
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    maxmemory: maxMemory,
    'maxmemory-policy': 'volatile-lfu',
    daemonize: 'no',
  }
  const server = await startServer({
    name,
    command: 'redis-server',
    args: [...Object.entries(own).flatMap(([key, value]) => [`--${key}`, String(value)]), ...settings],
    cwd: folder,
    logFile,
    report,
    healthy: async () => (await redisCommand({ host: '127.0.0.1', port }, 'PING')).startsWith('+PONG'),
  })
  return { ...server, port, url: `redis://127.0.0.1:${port}` }
}
