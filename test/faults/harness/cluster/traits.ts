/** Properties of a seed's installation, derived from the seed. */
export interface Traits {
  /** The store of its projectors' views. */
  readonly views: 'redis' | 'postgres'
  readonly redis: 'one' | 'cluster'
  /** Whether the brokers forget a transactional id after seconds instead of a week. */
  readonly forgetsIds: boolean
}

/** In blocks, because brokers need a restart to change whether they forget. */
const blockOfSeeds = 4

/**
 * Every other seed keeps views in PostgreSQL, and every fourth has a Redis Cluster. Of three blocks of four seeds, one
 * has brokers that forget.
 */
export const traitsOf = (seed: number): Traits => ({
  views: seed % 2 === 0 ? 'postgres' : 'redis',
  redis: seed % 4 === 3 ? 'cluster' : 'one',
  forgetsIds: Math.floor(seed / blockOfSeeds) % 3 === 2,
})
