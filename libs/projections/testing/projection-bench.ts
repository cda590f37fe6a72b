import { expect, onTestFinished } from 'vitest'

import { formatPartition, project, type Projection } from '#domain'

import { InMemoryViewStore } from '../in-memory/in-memory-view-store.ts'
import type { ParkedEvent } from '../view-store/parked-event.ts'
import { InMemoryFeed } from './in-memory-feed.ts'
import { entered, ledger, ledgers } from './ledger.ts'
import {
  allViews,
  eventually,
  type InstanceOptions,
  ProjectorInstance,
  servingState,
} from './projector-instance.ts'

/** A log of three partitions, a store, and the instances that a test starts between them. All end with the test. */
export class ProjectionBench {
  feed = new InMemoryFeed({ chunkEventsMax: 25 })
  readonly store = new InMemoryViewStore()
  readonly sources = ledgers(3)

  async start(projection: Projection, more: Partial<InstanceOptions> = {}): Promise<ProjectorInstance> {
    const { feed, store, sources } = this
    const instance = await ProjectorInstance.start({ projection, feed, store, sources, ...more })
    onTestFinished(() => instance.stop())
    return instance
  }

  /** Appends `count` events of various accounts over all partitions. */
  append(count: number): void {
    for (let n = 0; n < count; n++) {
      const partition = n % this.sources.length
      this.feed.append(ledger(partition), entered(`${partition}-${n % 5}`, n))
    }
  }

  /** Waits until the serving generation is of this definition and counts every event once. */
  expectServed(projection: Projection): Promise<void> {
    return eventually(async () => {
      const { checkpoints, viewVersion } = await servingState(this.store, projection)
      expect(viewVersion).toBe(projection.viewVersion)
      for (const source of this.sources) {
        expect(checkpoints.get(formatPartition(source))).toBe(await this.feed.endOffset(source))
      }
      const views = await allViews(this.store, projection)
      expect(views).toEqual(Object.fromEntries(project(projection, new Map(), this.feed.events)))
    })
  }

  expectCheckpoint(projection: Projection, partition: number, offset: number): Promise<void> {
    return eventually(async () => {
      const { checkpoints } = await servingState(this.store, projection)
      expect(checkpoints.get(formatPartition(ledger(partition)))).toBe(offset)
    })
  }

  async parked(projection: Projection): Promise<readonly ParkedEvent[]> {
    const { id } = await servingState(this.store, projection)
    return this.store.parked.list({ projection, generation: id }, { offset: 0, limit: 100 })
  }

  async statuses(projection: Projection): Promise<readonly string[]> {
    const states = await this.store.generations.list(projection)
    return states.map(({ viewVersion, status }) => `v${viewVersion} ${status}`)
  }
}

/** Waits for that many polls of the store, for tests of what must not happen. */
export const afterPolls = (count = 20): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 5))
