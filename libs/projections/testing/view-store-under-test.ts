import { randomUUID } from 'node:crypto'

import type { ViewStore } from '../view-store/view-store.ts'
import type { TestClock } from './test-clock.ts'
import { TestedProjection } from './tested-projection.ts'

/** What the suite needs of the store that it tests. All tests share the store; each uses its own projections. */
export interface ViewStoreUnderTest {
  readonly store: ViewStore
  /** Deletes everything the store holds behind its back, as a flush does. Without it that test is skipped. */
  readonly loseAll?: () => Promise<void>
  /** Runs after the last test and closes the store. Default: `store.close()`. */
  readonly teardown?: () => Promise<void>
}

/** Opens an empty store. @param clock the store's `now` option: milliseconds since 1970. */
export type OpenViewStore = (clock: {
  readonly now: () => number
}) => ViewStoreUnderTest | Promise<ViewStoreUnderTest>

/** The store under test with its clock and fresh projections. */
export class ViewStoreSubject {
  readonly store: ViewStore
  readonly clock: TestClock
  readonly loseAll: (() => Promise<void>) | undefined

  constructor({ store, loseAll }: ViewStoreUnderTest, clock: TestClock) {
    this.store = store
    this.clock = clock
    this.loseAll = loseAll
  }

  /** A prepared projection that no other test uses. */
  async freshProjection(indexNames: readonly string[] = []): Promise<TestedProjection> {
    return this.projection(`p-${randomUUID()}`, indexNames)
  }

  async projection(name: string, indexNames: readonly string[] = []): Promise<TestedProjection> {
    const projection = new TestedProjection(this.store, this.clock, { name, indexNames })
    await this.store.prepare(projection.stored)
    return projection
  }

  /** A fresh projection with a serving generation `g1`. */
  async servingProjection(indexNames: readonly string[] = []): Promise<TestedProjection> {
    const projection = await this.freshProjection(indexNames)
    await projection.add('g1')
    return projection
  }
}
