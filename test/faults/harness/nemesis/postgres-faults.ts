import type { PostgresServer } from '../cluster/postgres-server.ts'
import { type Fault, heldBetween } from './fault.ts'

interface PostgresFault extends Pick<Fault, 'name' | 'weight' | 'forMs'> {
  /** What the fault affects. */
  readonly affected: string
  readonly begin: (postgres: PostgresServer) => Promise<void> | void
  readonly end: (postgres: PostgresServer) => Promise<void> | void
}

const faultOf = ({ affected, begin, end, ...fault }: PostgresFault): Fault => ({
  ...fault,
  isPossible: ({ views }) => views === 'postgres',
  strike: async (scene) => {
    const { postgres } = scene.system.servers
    await heldBetween(
      scene,
      () => begin(postgres),
      () => end(postgres),
    )
    return affected
  },
})

const postgresKilled = faultOf({
  name: 'postgres killed',
  weight: 2,
  forMs: [500, 4_000],
  affected: 'only the postmaster',
  begin: (postgres) => postgres.kill(),
  end: (postgres) => postgres.start(),
})

const postgresFrozen = faultOf({
  name: 'postgres frozen',
  weight: 1,
  forMs: [1_000, 6_000],
  affected: 'all of its processes',
  begin: (postgres) => postgres.signalAll('SIGSTOP'),
  end: (postgres) => postgres.signalAll('SIGCONT'),
})

const postgresRestarted = faultOf({
  name: 'postgres restarted',
  weight: 1,
  forMs: [500, 4_000],
  affected: 'the whole server',
  begin: (postgres) => postgres.stop(),
  end: (postgres) => postgres.start(),
})

export const postgresFaults: readonly Fault[] = [postgresKilled, postgresFrozen, postgresRestarted]
