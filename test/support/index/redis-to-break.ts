import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach } from 'vitest'

import { freePorts, type Redis, redisCommand, startRedis } from '../../../scripts/stack/index.ts'

/** Keeps a dump only when told to, so that a restart finds what was saved last, however old. */
export const withDump = ['--appendonly', 'no', '--enable-debug-command', 'local']
/** Keeps all that it was told but the last moments. */
export const withFile = ['--appendfsync', 'no']

/** A command is no probe: a machine that stands still for seconds answers it, too. */
const commandMsMax = 30_000

/** A Redis of a test file's own, empty before each test, that can be killed, and find older data at its next start. */
export class RedisToBreak {
  #folder = ''
  #port = 0
  #redis: Redis | undefined

  get url(): string {
    if (this.#redis === undefined) throw new Error('Redis runs from beforeEach on')
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

  /** @throws Error what Redis says against it. */
  async tell(command: string): Promise<void> {
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

/** Call it once in a test file. */
export function redisToBreak(): RedisToBreak {
  const redis = new RedisToBreak()
  beforeAll(() => redis.prepare())
  beforeEach(async () => {
    await redis.start(...withDump)
    await redis.tell('FLUSHALL')
    return () => redis.stop()
  })
  afterAll(() => redis.remove())
  return redis
}
