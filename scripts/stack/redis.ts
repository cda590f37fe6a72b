import { join } from 'node:path'
import { makePrivateFolder, writePrivateFile } from './private-files.ts'
import { redisCommand } from './probes.ts'
import { type Report, type Server, startServer } from './server.ts'

/** A running Redis. */
export interface Redis extends Server {
  readonly port: number
  /** `redis://host:port`, without the password. */
  readonly url: string
}

export interface RedisOptions {
  readonly port: number
  readonly folder: string
  readonly logFile: string
  /** In the notation of Redis (`512mb`). Above it, only keys with a time to live are evicted. */
  readonly maxMemory?: string
  /** Letters, digits, `-` and `_`; default: none is needed. */
  readonly password?: string | undefined
  /** Further redis-server options: `['--cluster-enabled', 'yes']`. */
  readonly settings?: readonly string[]
  readonly name?: string
  readonly report?: Report | undefined
}

/** Starts a Redis that keeps its data in an append-only file. */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const { port, folder, logFile, maxMemory = '512mb', password, settings = [], report } = options
  const { name = 'Redis' } = options
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
    args: [
      ...configOf(folder, password),
      ...Object.entries(own).flatMap(([key, value]) => [`--${key}`, String(value)]),
      ...settings,
    ],
    cwd: folder,
    logFile,
    report,
    healthy: async () =>
      (await redisCommand({ host: '127.0.0.1', port, password }, 'PING')).startsWith('+PONG'),
  })
  return { ...server, port, url: `redis://127.0.0.1:${port}` }
}

/** The password is in a file, because every user can list the arguments of processes. */
function configOf(folder: string, password: string | undefined): string[] {
  if (password === undefined) return []
  const file = join(folder, 'redis.conf')
  writePrivateFile(file, `requirepass ${password}\n`)
  return [file]
}
