import type { Generations } from './generations.ts'
import type { ViewOutbox } from './outbox.ts'
import type { ParkedEvents } from './parked-events.ts'
import type { StoredProjection } from './view-set.ts'
import type { Views } from './views.ts'

/**
 * Stores views, checkpoints and everything that belongs to them, behind four ports. A consumer takes only the ports that
 * it needs: `Pick<ViewStore, 'generations' | 'views'>`.
 *
 * Every method of every port is atomic. All reject with {@link ViewStoreUnavailableError} while the store does not answer;
 * the operation may have happened then, and the checkpoint shows whether it did. Every store passes
 * testing/view-store.contract.ts.
 *
 * A retired generation accepts no commits and serves no lookups; everything else works on it until it is discarded.
 * On a generation that does not exist nothing happens and nothing is found, unless a method says otherwise.
 */
export interface ViewStore {
  readonly generations: Generations
  readonly views: Views
  readonly outbox: ViewOutbox
  readonly parked: ParkedEvents

  /** Creates what the store needs for a projection. Call it before any other method; repeated calls are harmless. */
  prepare(projection: StoredProjection): Promise<void>

  /** Releases the store's own connections. */
  close(): Promise<void>
}
