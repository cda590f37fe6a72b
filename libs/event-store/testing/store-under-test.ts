import { randomUUID } from 'node:crypto'

import { type NewEvent, type StreamId, streamIdOf } from '#domain'

import { EventStoreError } from '../errors.ts'
import type { EventStore, SnapshotStore } from '../event-store.ts'

/** The store that a contract suite tests. It may be shared, because every test uses its own streams. */
export interface StoreUnderTest {
  readonly store: EventStore
  /** The store's snapshots. Without it, tests of loading with snapshots are skipped. */
  readonly snapshots?: SnapshotStore
  /** Returns the nth event, without an id, in a form that the store's schemas accept. Default: `PurchaseMade {date, cds, amount}`. */
  readonly event?: (n: number) => NewEvent
  /** Returns the id of an unused stream. Default: `customer.<random>`. */
  readonly freshStreamId?: () => StreamId
  /** Maximum number of events per append in this store. Default 1,000. */
  readonly eventsPerAppendMax?: number
  readonly teardown?: () => Promise<void>
}

/** The store under test with defaults applied. */
export type Subject = Required<Omit<StoreUnderTest, 'teardown' | 'snapshots'>> &
  Pick<StoreUnderTest, 'snapshots'>

/** A purchase of `n` CDs. */
const purchaseMade = (n: number): NewEvent => ({
  type: 'PurchaseMade',
  data: { date: '1997-01-12', cds: n, amount: `${n}.50` },
})

export const subjectOf = (given: StoreUnderTest): Subject => ({
  event: purchaseMade,
  freshStreamId: () => streamIdOf('customer', randomUUID()),
  eventsPerAppendMax: 1000,
  ...given,
})

/** The EventStoreError that a promise rejects with. Throws when it resolves or rejects with another error. */
export async function rejection(promise: Promise<unknown>): Promise<EventStoreError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('value' in outcome) throw new Error(`expected a rejection, got ${JSON.stringify(outcome.value)}`)
  if (outcome.error instanceof EventStoreError) return outcome.error
  throw new Error('expected an EventStoreError', { cause: outcome.error })
}
