/** What a seed's installation stands on: the same for the same seed. */
export interface Traits {
  /** Where its projectors keep views. */
  readonly views: 'redis' | 'postgres'
  readonly redis: 'one' | 'cluster'
  /** Whether the brokers forget a transactional id after seconds instead of a week. */
  readonly forgetsIds: boolean
}

/** In blocks, because brokers that forget are others than those that do not: they would have to be started again for each seed. */
const blockOfSeeds = 4

/** Every other seed keeps views in PostgreSQL, every fourth has a Redis Cluster; of three blocks of four seeds, one has brokers that forget. */
export const traitsOf = (seed: number): Traits => ({
  views: seed % 2 === 0 ? 'postgres' : 'redis',
  redis: seed % 4 === 3 ? 'cluster' : 'one',
  forgetsIds: Math.floor(seed / blockOfSeeds) % 3 === 2,
})
