import type { Position, TopicPartition } from '#domain'

import type { Generation, NewGeneration } from './generation.ts'
import type { StoredProjection, ViewSet } from './view-set.ts'

/** Why a source partition of a generation stands still until an operator resumes it. */
export interface Stop {
  readonly position: Position
  readonly error: string
  readonly stoppedAtMs: number
}

/** What a store holds of one generation. */
export interface GenerationState extends Generation {
  /** Next offset not applied yet, by `formatPartition`. */
  readonly checkpoints: ReadonlyMap<string, number>
  /** By `formatPartition`. */
  readonly stops: ReadonlyMap<string, Stop>
  /** Expired views count until they are deleted. */
  readonly views: number
  readonly parked: number
  /** Views, and deletions of views, that are not in the changelog yet. */
  readonly unpublished: number
  /**
   * What is missing of it, for people: a part was dropped or emptied behind the store's back. It accepts no commits and
   * serves no lookups; {@link Generations.add} with `insteadOf` replaces it.
   */
  readonly damage?: string
}

export interface AddOptions {
  /** Add nothing if the serving generation, or a building one, has the same or a higher view version. */
  readonly ifNeeded?: boolean
  /** The generation that is retired in the same step, whatever its status. Add nothing if it does not exist or is retired already. */
  readonly insteadOf?: string
}

/**
 * `switched`: the generation serves, also if it did already. `behind`: it has not caught up with the serving one yet.
 * `gone`: it is kept, retired, or does not exist.
 */
export type SwitchOutcome = 'switched' | 'behind' | 'gone'

/** The generations of projections: their lifecycle, and the source partitions that stand still. */
export interface Generations {
  /** All generations in the order of their ids, oldest first; empty if none was added yet, or the store lost them. */
  list(projection: StoredProjection): Promise<readonly GenerationState[]>

  /**
   * Adds a generation. One without `until` serves at once if none does; otherwise it is `building`, and a generation
   * that was building is retired. One with `until` is `kept`. If its id is taken, nothing happens.
   * The options let exactly one of many instances act on a need that all of them see.
   * @returns whether it was added.
   */
  add(projection: StoredProjection, generation: NewGeneration, options?: AddOptions): Promise<boolean>

  /**
   * Lets a building generation serve, and retires the serving one, as soon as the new checkpoints have come at least as far
   * in every partition, so that readers never go back; a missing checkpoint counts as 0. Otherwise the serving generation
   * accepts no commits for `holdMs` from now, which replaces an earlier hold: its commits are answered `held`, and the
   * next call can succeed.
   * Partitions of topics whose id (`topicIds`) differs between the two generations, or is missing in one of them, are not
   * compared: they hold another log.
   */
  switchTo(set: ViewSet, holdMs: number): Promise<SwitchOutcome>

  /** Retires a generation, unless it serves. @returns whether it is retired now. */
  retire(set: ViewSet): Promise<boolean>

  /**
   * Deletes up to `limit` keys of a retired generation: keys of views, and of deletions that the changelog does not have
   * yet. With the last key it deletes the generation itself. If the serving generation has no view under one of these
   * keys, the key becomes unpublished there as a deletion, unless it is unpublished already: so the changelog learns of it.
   * A generation that is not retired stays.
   * @returns whether the generation is gone.
   */
  discard(set: ViewSet, limit: number): Promise<boolean>

  /** Records why a partition stands still; replaces an earlier record. Commits are accepted as before. */
  stop(set: ViewSet, source: TopicPartition, stop: Stop): Promise<void>

  /** Resumes stopped partitions of all generations: all of them, or only `source`. @returns how many were stopped. */
  resume(projection: StoredProjection, source?: TopicPartition): Promise<number>
}
