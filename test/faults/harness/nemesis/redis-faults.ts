import { until } from '../../../../scripts/stack/index.ts'
import type { RedisNode } from '../cluster/redis-servers.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

const rewriteMsMax = 10_000
/** The setting with which the harness starts it. */
const usualMemory = '512mb'

/** The only Redis, or a node of the cluster. */
function nodeOf({ system, random }: Scene): { redis: RedisNode; name: string } {
  const { redisNodes } = system
  const redis = random.pick(redisNodes)
  const name = redisNodes.length === 1 ? 'redis' : `redis node ${redisNodes.indexOf(redis) + 1}`
  return { redis, name }
}

const redisKilled: Fault = {
  name: 'redis killed',
  weight: 2,
  forMs: [200, 3_000],
  strike: async (scene) => {
    const { redis, name } = nodeOf(scene)
    await heldBetween(
      scene,
      () => redis.kill(),
      () => redis.start(),
    )
    return `${name}, keeping its append-only file`
  },
}

const redisFrozen: Fault = {
  name: 'redis frozen',
  weight: 1,
  forMs: [500, 4_000],
  strike: async (scene) => {
    const { redis, name } = nodeOf(scene)
    await heldBetween(
      scene,
      () => redis.signal('SIGSTOP'),
      () => redis.signal('SIGCONT'),
    )
    return name
  },
}

const redisEmptied: Fault = {
  name: 'redis emptied',
  weight: 2,
  forMs: [500, 2_000],
  strike: async (scene) => {
    const { redis, name } = nodeOf(scene)
    await redis.command('FLUSHALL')
    await scene.hold()
    return name
  },
}

/**
 * The dump is loaded in place, and the append-only file is rewritten from it: otherwise another kill would restore a
 * mixture that never existed.
 */
const redisOlder: Fault = {
  name: 'redis restored from an older dump',
  weight: 2,
  forMs: [500, 4_000],
  strike: async (scene) => {
    const { redis, name } = nodeOf(scene)
    await redis.command('SAVE')
    await scene.hold()
    await redis.command('DEBUG RELOAD NOSAVE')
    await redis.command('BGREWRITEAOF')
    await until('the append-only file is written', rewriteMsMax, async () => {
      const info = await redis.command('INFO persistence')
      return /aof_rewrite_in_progress:0\r/.test(info) && /aof_rewrite_scheduled:0\r/.test(info)
    })
    return name
  },
}

/** Rejects writes that need memory: at once, or when a little more is used. */
const redisFull: Fault = {
  name: 'redis at its limit',
  weight: 2,
  forMs: [6_000, 14_000],
  strike: async (scene) => {
    const { redis, name } = nodeOf(scene)
    const info = await redis.command('INFO memory')
    const usedBytes = Number(/used_memory:(\d+)/.exec(info)?.[1])
    const leftBytes = scene.random.between(0, 200) * 1_024
    await heldBetween(
      scene,
      async () => {
        await redis.command(`CONFIG SET maxmemory ${usedBytes + leftBytes}`)
      },
      async () => {
        await redis.command(`CONFIG SET maxmemory ${usualMemory}`)
      },
    )
    return `${name}, ${leftBytes / 1_024} KB left`
  },
}

export const redisFaults: readonly Fault[] = [redisKilled, redisFrozen, redisEmptied, redisOlder, redisFull]
