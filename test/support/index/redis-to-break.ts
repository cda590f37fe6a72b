import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach } from 'vitest'

import { freePorts, type Redis, redisCommand, startRedis } from '../../../scripts/stack/index.ts'

/** Saves a dump on command only, so a restart loads the last saved data, however old. */
export const withDump = ['--appendonly', 'no', '--enable-debug-command', 'local']
/** Persists all writes except those of the last moments. */
export const withFile = ['--appendfsync', 'no']

/** Long, because a shared machine may pause for seconds. */
const commandMsMax = 30_000

/** A separate Redis for one test file, empty before each test. It can be killed and restarted with older data. */
class RedisToBreak {
  #folder = ''
  #port = 0
  #redis: Redis | undefined

  get url(): string {
    if (this.#redis === undefined) throw new Error('Redis runs only after beforeEach')
    return this.#redis.url
  }

  async prepare(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'annals-redis-'))
    this.#port = (await freePorts(1))[0] ?? 0
  }

  async start(...settings: string[]): Promise<void> {
    const [port, folder] = [this.#port, this.#folder]
    this.#redis = await startRedis({ port, folder, logFile: join(folder, 'redis.log'), settings })
  }

  /** Sends a command. @throws Error with the error that Redis answers. */
  async send(command: string): Promise<void> {
    const answer = await redisCommand({ host: '127.0.0.1', port: this.#port }, command, commandMsMax)
    if (answer.startsWith('-')) throw new Error(`${command}: ${answer}`)
  }

  async killAndStart(...settings: string[]): Promise<void> {
    this.#redis?.kill('SIGKILL')
    await this.#redis?.exited
    await this.start(...settings)
  }

  async stop(): Promise<void> {
    await this.#redis?.stop()
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Registers the hooks of a test file's Redis. Call it once per file. */
export function redisToBreak(): RedisToBreak {
  const redis = new RedisToBreak()
  beforeAll(() => redis.prepare())
  beforeEach(async () => {
    await redis.start(...withDump)
    await redis.send('FLUSHALL')
    return () => redis.stop()
  })
  afterAll(() => redis.remove())
  return redis
}
