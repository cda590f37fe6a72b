import type { ViewSet } from '#projections'

/** The kinds of keys that each generation has, in the order in which scripts get them. */
export const kinds = [
  /** Hash: `definition` (JSON of a NewGeneration), `viewVersion`, `commits` (the last revision given), `heldUntil`. */
  'meta',
  /** Hash: source partition → the next offset not applied yet. */
  'checkpoints',
  /** Hash: source partition → why it is stopped. */
  'stops',
  /** Hash: key → the view, see stored-view.ts. */
  'views',
  /** Sorted set: all keys with score 0, which sorts them by their bytes. */
  'order',
  /** Sorted set: keys of views that expire, by their expiry. */
  'expiry',
  /** Hash: key → revision of the change that the changelog lacks; for a deletion also its time. */
  'unpublished',
  /** Sorted set: positions of parked events, by the time of parking. */
  'parked',
  /** Hash: position of a parked event → its error. */
  'errors',
] as const

/** The suffix of a projection's first key. Scripts cut it off to derive the names of the other keys. */
export const generationsName = 'generations'

/**
 * The names of a projection's keys. They share one hash tag, so that Redis Cluster holds them in one slot and one script can
 * change them all. None has a time to live: under `volatile-lfu` none is evicted.
 */
export class ProjectionKeys {
  /** Hash: id of a generation → its status. */
  readonly generations: string
  readonly #tag: string

  constructor(keyPrefix: string, projection: string) {
    this.#tag = `{${keyPrefix}:p:${projection}}`
    this.generations = `${this.#tag}${generationsName}`
  }

  /** The keys for a script on one generation: the list of generations, one key of each kind, one for each index. */
  ofSet({ projection, generation }: ViewSet): string[] {
    const indexes = projection.indexNames.map((name) => this.index(generation, name))
    return [this.generations, ...kinds.map((kind) => `${this.#tag}${generation}:${kind}`), ...indexes]
  }

  /** Hash: key → the view. */
  views(generation: string): string {
    return `${this.#tag}${generation}:views`
  }

  /** Sorted set: keys by their figure. */
  index(generation: string, name: string): string {
    return `${this.#tag}${generation}:index:${name}`
  }
}
