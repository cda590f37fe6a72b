import { type Fault, heldBetween } from './fault.ts'

const inPostgres: Fault['isPossible'] = ({ views }) => views === 'postgres'

const postgresKilled: Fault = {
  name: 'postgres killed',
  weight: 2,
  forMs: [500, 4_000],
  isPossible: inPostgres,
  strike: async (scene) => {
    const { postgres } = scene.system.servers
    await heldBetween(
      scene,
      () => postgres.kill(),
      () => postgres.start(),
    )
    return 'only the postmaster'
  },
}

const postgresFrozen: Fault = {
  name: 'postgres frozen',
  weight: 1,
  forMs: [1_000, 6_000],
  isPossible: inPostgres,
  strike: async (scene) => {
    const { postgres } = scene.system.servers
    await heldBetween(
      scene,
      () => postgres.signalAll('SIGSTOP'),
      () => postgres.signalAll('SIGCONT'),
    )
    return 'all of its processes'
  },
}

const postgresRestarted: Fault = {
  name: 'postgres restarted',
  weight: 1,
  forMs: [500, 4_000],
  isPossible: inPostgres,
  strike: async (scene) => {
    const { postgres } = scene.system.servers
    await heldBetween(
      scene,
      () => postgres.stop(),
      () => postgres.start(),
    )
    return 'in order'
  },
}

export const postgresFaults: readonly Fault[] = [postgresKilled, postgresFrozen, postgresRestarted]
