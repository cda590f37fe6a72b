import { randomUUID } from 'node:crypto'

import { type NewEvent, type StreamId, streamIdOf } from '#domain'

import { EventStoreError } from '../errors.ts'
import type { EventStore, SnapshotStore } from '../event-store.ts'

/** What a suite needs of the store that it tests. The store may be shared: every test uses streams of its own. */
export interface StoreUnderTest {
  readonly store: EventStore
  /** Where the store keeps snapshots, for the tests of loading with one. Without it they are skipped. */
  readonly snapshots?: SnapshotStore
  /** The nth event, without an id, as the store's schemas want it. Default: `PurchaseMade {date, cds, amount}`. */
  readonly event?: (n: number) => NewEvent
  /** A stream that nobody has used before. Default: `customer.<random>`. */
  readonly freshStreamId?: () => StreamId
  /** How many events one append may have in this store. Default 1,000. */
  readonly eventsPerAppendMax?: number
  readonly teardown?: () => Promise<void>
}

/** The store under test with all defaults filled in. */
export type Subject = Required<Omit<StoreUnderTest, 'teardown' | 'snapshots'>> &
  Pick<StoreUnderTest, 'snapshots'>

/** A purchase of `n` CDs. */
export const purchaseMade = (n: number): NewEvent => ({
  type: 'PurchaseMade',
  data: { date: '1997-01-12', cds: n, amount: `${n}.50` },
})

export const subjectOf = (given: StoreUnderTest): Subject => ({
  event: purchaseMade,
  freshStreamId: () => streamIdOf('customer', randomUUID()),
  eventsPerAppendMax: 1000,
  ...given,
})

/** The error that a promise is rejected with; fails when there is none, or one that is not the store's. */
export async function rejection(promise: Promise<unknown>): Promise<EventStoreError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('value' in outcome) throw new Error(`expected a rejection, got ${JSON.stringify(outcome.value)}`)
  if (outcome.error instanceof EventStoreError) return outcome.error
  throw new Error('expected an EventStoreError', { cause: outcome.error })
}
