import { partitionFor } from '#domain'

import { partitions } from '../cluster/system.ts'
import { leaderOf } from '../cluster/topics.ts'
import { type Fault, heldBetween, type Scene } from './fault.ts'

/** In two of three cases, the leader of a partition that all clients write to. */
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

export const serverFaults: readonly Fault[] = [brokerKilled, brokerFrozen, registryStopped]
