import type { ViewStore } from '#projections'
import type { RedisConnection } from '#redis-index'

import { ProjectionScripts } from './projection-scripts.ts'
import { RedisGenerations } from './redis-generations.ts'
import { RedisOutbox } from './redis-outbox.ts'
import { RedisParkedEvents } from './redis-parked-events.ts'
import { RedisViews } from './redis-views.ts'

interface RedisViewStoreOptions {
  /** Milliseconds since 1970; expiry and holds follow it. Default: the clock. */
  readonly now?: () => number
}

/**
 * A view store in Redis. All keys of a projection are in one slot of Redis Cluster, and every method is one script or command.
 * A revision is the number of a step within its generation.
 */
export class RedisViewStore implements ViewStore {
  readonly generations: RedisGenerations
  readonly views: RedisViews
  readonly outbox: RedisOutbox
  readonly parked: RedisParkedEvents

  constructor(redis: RedisConnection, { now = Date.now }: RedisViewStoreOptions = {}) {
    const scripts = new ProjectionScripts(redis)
    this.generations = new RedisGenerations(scripts, now)
    this.views = new RedisViews(scripts, now)
    this.outbox = new RedisOutbox(scripts)
    this.parked = new RedisParkedEvents(scripts)
  }

  /** Does nothing: keys appear with their first value. */
  prepare(): Promise<void> {
    return Promise.resolve()
  }

  /** Does nothing: the caller that opened the connection closes it. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}
