import { partitionFor } from '#event-store'

import { until } from '../../../../scripts/stack/index.ts'
import { partitions } from '../cluster/system.ts'
import { leaderOf } from '../cluster/topics.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

const rewriteMsMax = 10_000

/** Of three times, two it is the leader of a partition that all clients write to. */
async function broker({ system, streams, random }: Scene) {
  const { brokers } = system.servers.kafka
  const any = random.pick(brokers)
  const stream = random.pick(streams.hot)
  if (random.chance(1 / 3)) return { broker: any, as: 'any' }
  const type = stream.slice(0, stream.indexOf('.'))
  const place = partitionFor(stream, partitions)
  const leader = await leaderOf(system, type, place).catch(() => undefined)
  return { broker: brokers.find(({ id }) => id === leader) ?? any, as: `leader of a busy partition` }
}

const brokerKilled: Fault = {
  name: 'broker killed',
  weight: 2,
  forMs: [1_000, 5_000],
  strike: async (scene) => {
    const { broker: struck, as } = await broker(scene)
    await heldBetween(
      scene,
      () => struck.kill('SIGKILL'),
      () => struck.restart(),
    )
    return `broker-${struck.id}, ${as}`
  },
}

const brokerFrozen: Fault = {
  name: 'broker frozen',
  weight: 2,
  forMs: [1_500, 6_000],
  strike: async (scene) => {
    const { broker: struck, as } = await broker(scene)
    await heldBetween(
      scene,
      () => struck.kill('SIGSTOP'),
      () => struck.kill('SIGCONT'),
    )
    return `broker-${struck.id}, ${as}`
  },
}

const redisKilled: Fault = {
  name: 'redis killed',
  weight: 2,
  forMs: [200, 3_000],
  strike: async (scene) => {
    const { redis } = scene.system.servers
    await heldBetween(
      scene,
      () => redis.kill(),
      () => redis.start(),
    )
    return 'redis, with what its append-only file has'
  },
}

const redisFrozen: Fault = {
  name: 'redis frozen',
  weight: 1,
  forMs: [500, 4_000],
  strike: async (scene) => {
    const { redis } = scene.system.servers
    await heldBetween(
      scene,
      () => redis.signal('SIGSTOP'),
      () => redis.signal('SIGCONT'),
    )
    return 'redis'
  },
}

const redisEmptied: Fault = {
  name: 'redis emptied',
  weight: 2,
  forMs: [500, 2_000],
  strike: async (scene) => {
    await scene.system.servers.redis.tell('FLUSHALL')
    await scene.hold()
    return 'redis'
  },
}

/** The dump is loaded in place, and the append-only file made anew from it: another kill would otherwise bring a mixture back that never was. */
const redisOlder: Fault = {
  name: 'redis restored from an older dump',
  weight: 2,
  forMs: [500, 4_000],
  strike: async (scene) => {
    const { redis } = scene.system.servers
    await redis.tell('SAVE')
    await scene.hold()
    await redis.tell('DEBUG RELOAD NOSAVE')
    await redis.tell('BGREWRITEAOF')
    await until('the append-only file is written anew', rewriteMsMax, async () => {
      const told = await redis.tell('INFO persistence')
      return /aof_rewrite_in_progress:0\r/.test(told) && /aof_rewrite_scheduled:0\r/.test(told)
    })
    return 'redis'
  },
}

const registryStopped: Fault = {
  name: 'registry stopped',
  weight: 1,
  forMs: [1_000, 4_000],
  strike: async (scene) => {
    const { registry } = scene.system.servers
    await heldBetween(
      scene,
      () => registry.stop(),
      () => registry.start(),
    )
    return 'registry'
  },
}

export const serverFaults: readonly Fault[] = [
  brokerKilled,
  brokerFrozen,
  redisKilled,
  redisFrozen,
  redisEmptied,
  redisOlder,
  registryStopped,
]
