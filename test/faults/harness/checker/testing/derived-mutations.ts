import { monthAfter, totalsAfterEach } from '../fold.ts'
import {
  acknowledged,
  eventsOf,
  type Mutation,
  viewEarly,
  viewLate,
  withOperation,
  withRemains,
} from './mutations.ts'

const replaced = <T>(all: readonly T[], which: T, by: readonly T[]): T[] =>
  all.flatMap((each) => (each === which ? by : [each]))

/** Faults in what is derived from the log: index, snapshots, views. */
export const derivedMutations: readonly Mutation[] = [
  {
    name: 'an owner takes over again and again',
    promise: 'take-overs are few',
    mutate(good) {
      const first = good.remains.markers.find(({ partition }) => partition === 1)
      if (first === undefined) return undefined
      const again = Array.from({ length: 31 }, (_, index) => ({
        ...first,
        offset: first.offset - 1 + index / 40,
        timestampMs: first.timestampMs + 600 * index,
        producer: { id: '1', epoch: index + 1 },
      }))
      return withRemains(good, { markers: [...again, ...good.remains.markers] })
    },
  },
  {
    name: 'an owner uses epochs up without a marker',
    promise: 'take-overs are few',
    mutate(good) {
      const first = good.remains.markers.find(({ partition }) => partition === 1)
      if (first === undefined) return undefined
      const producer = { ...first.producer, epoch: first.producer.epoch - 40 }
      const before = {
        ...first,
        offset: first.offset - 0.5,
        timestampMs: first.timestampMs - 10_000,
        producer,
      }
      return withRemains(good, { markers: [before, ...good.remains.markers] })
    },
  },
  {
    name: 'the index has lost a stream',
    promise: 'the index equals the log',
    mutate({ history, remains }, pick) {
      const lost = pick(remains.index)
      return lost && withRemains({ history, remains }, { index: replaced(remains.index, lost, []) })
    },
  },
  {
    name: 'the index has an offset that is not the log’s',
    promise: 'the index equals the log',
    mutate({ history, remains }, pick) {
      const entry = pick(remains.index)
      if (entry === undefined) return undefined
      const wrong = { ...entry, offsets: entry.offsets.map((offset) => offset + 1) }
      return withRemains({ history, remains }, { index: replaced(remains.index, entry, [wrong]) })
    },
  },
  {
    name: 'the index holds a stream that does not exist',
    promise: 'the index equals the log',
    mutate: (good) =>
      withRemains(good, {
        index: [...good.remains.index, { streamId: 'customer.none', version: 1, offsets: [7] }],
      }),
  },
  {
    name: 'a snapshot is not the fold',
    promise: 'snapshots equal the fold',
    mutate({ history, remains }, pick) {
      const snapshot = pick(remains.snapshots)
      if (snapshot === undefined) return undefined
      const wrong = { ...snapshot, state: { ...(snapshot.state as object), spend: '0.01' } }
      return withRemains({ history, remains }, { snapshots: replaced(remains.snapshots, snapshot, [wrong]) })
    },
  },
  {
    name: 'a snapshot is ahead of its stream',
    promise: 'snapshots equal the fold',
    mutate({ history, remains }, pick) {
      const snapshot = pick(remains.snapshots)
      const wrong = snapshot && { ...snapshot, version: snapshot.version + 30 }
      return (
        wrong &&
        withRemains({ history, remains }, { snapshots: replaced(remains.snapshots, snapshot, [wrong]) })
      )
    },
  },
  {
    name: 'a view has counted an event twice',
    promise: 'views equal the fold of the log',
    mutate({ history, remains }, pick) {
      const stored = pick(remains.views)
      if (stored === undefined) return undefined
      const view = stored.view as { purchases: number }
      const wrong = { ...stored, view: { ...view, purchases: view.purchases + 1 } }
      return withRemains({ history, remains }, { views: replaced(remains.views, stored, [wrong]) })
    },
  },
  {
    name: 'a view is missing',
    promise: 'views equal the fold of the log',
    mutate({ history, remains }, pick) {
      const lost = pick(remains.views)
      return lost && withRemains({ history, remains }, { views: replaced(remains.views, lost, []) })
    },
  },
  {
    name: 'there is one view too many',
    promise: 'views equal the fold of the log',
    mutate: (good) =>
      withRemains(good, {
        views: [...good.remains.views, { projection: 'months', key: '2020-01', view: monthAfter([]) }],
      }),
  },
  {
    name: 'a view by stream is older than its token',
    promise: 'views read with a token are never stale',
    mutate(good, pick) {
      const append = pick(acknowledged(good))
      if (append === undefined) return undefined
      const { streamId, outcome } = append
      const before = totalsAfterEach(eventsOf(good, streamId))[outcome.firstVersion - 1]
      const view = outcome.firstVersion === 1 ? null : before
      const key = streamId.slice('customer.'.length)
      const read = { ...viewLate, projection: 'totals', key, after: outcome.position }
      return withOperation(good, { ...read, outcome: { is: 'answered', view } })
    },
  },
  {
    name: 'a view across streams is older than its token',
    promise: 'views read with a token are never stale',
    mutate(good, pick) {
      const append = pick(acknowledged(good))
      const event = append && eventsOf(good, append.streamId)[append.outcome.lastVersion - 1]
      if (event === undefined) return undefined
      const key = String(event.data['date']).slice(0, 'YYYY-MM'.length)
      const { topic, partition, offset } = event
      const read = { ...viewLate, projection: 'months', key, after: { topic, partition, offset } }
      return withOperation(good, { ...read, outcome: { is: 'answered', view: null } })
    },
  },
  {
    name: 'a view shows what was not sent yet',
    promise: 'views read with a token are never stale',
    mutate(good, pick) {
      const stored = pick(good.remains.views)
      if (stored === undefined) return undefined
      return withOperation(good, { ...viewEarly, ...stored, outcome: { is: 'answered', view: stored.view } })
    },
  },
  {
    name: 'a view across streams has an amount that no events add up to',
    promise: 'views read with a token are never stale',
    mutate(good, pick) {
      const stored = pick(good.remains.views.filter(({ projection }) => projection === 'months'))
      if (stored === undefined) return undefined
      const view = { ...(stored.view as object), cds: 0 }
      return withOperation(good, { ...viewLate, ...stored, outcome: { is: 'answered', view } })
    },
  },
]
