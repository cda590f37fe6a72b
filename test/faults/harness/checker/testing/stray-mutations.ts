import type { LoggedEvent } from '../../history.ts'
import { totalsAfterEach } from '../fold.ts'
import {
  acknowledged,
  eventsOf,
  lateMs,
  logOf,
  type Mutation,
  straysOf,
  withOperation,
  withRemains,
} from './mutations.ts'

/** Stray events that would be the next version of their stream at the end. */
const nextVersions = (good: Parameters<Mutation['mutate']>[0]): LoggedEvent[] =>
  straysOf(good).filter((stray) => stray.version === eventsOf(good, stray.streamId).length + 1)

/** Faults with records that are in the log and do not count. */
export const strayMutations: readonly Mutation[] = [
  {
    name: 'an acknowledged event is in a batch that does not count',
    promise: 'acknowledged events are where the answer said',
    mutate(good, pick) {
      const marked = new Set(good.remains.markers.map(({ partition }) => partition))
      const event = pick(logOf(good).filter(({ partition }) => marked.has(partition)))
      const isAcknowledged = acknowledged(good).some(({ events }) =>
        events.some(({ id }) => id === event?.id),
      )
      const isTermed = good.remains.markers.some(
        (marker) => marker.partition === event?.partition && marker.offset < event.offset,
      )
      if (event === undefined || !isAcknowledged || !isTermed) return undefined
      const stray = { ...event, producer: { id: event.producer.id, epoch: event.producer.epoch - 1 } }
      return withRemains(good, { log: good.remains.log.map((each) => (each === event ? stray : each)) })
    },
  },
  {
    name: 'the index holds a stray record',
    promise: 'the index equals the log',
    mutate(good, pick) {
      const stray = pick(nextVersions(good))
      if (stray === undefined) return undefined
      const others = good.remains.index.filter(({ streamId }) => streamId !== stray.streamId)
      const offsets = [...eventsOf(good, stray.streamId), stray].map(({ offset }) => offset)
      const { streamId, version } = stray
      return withRemains(good, { index: [...others, { streamId, version, offsets }] })
    },
  },
  {
    name: 'a history shows a stray record',
    promise: 'reads say what the log says',
    mutate(good, pick) {
      const stray = pick(nextVersions(good))
      if (stray === undefined) return undefined
      const { streamId, version, id } = stray
      const read = { op: 10_000, client: 9, calledAtMs: lateMs, endedAtMs: lateMs + 1, kind: 'read' as const }
      const outcome = { is: 'answered' as const, events: [{ version, id }] }
      return withOperation(good, { ...read, streamId, fromVersion: version, outcome })
    },
  },
  {
    name: 'a view counts a stray record',
    promise: 'views equal the fold of the log',
    mutate(good, pick) {
      const stray = pick(nextVersions(good))
      if (stray === undefined) return undefined
      const key = stray.streamId.slice('customer.'.length)
      const view = totalsAfterEach([...eventsOf(good, stray.streamId), stray]).at(-1)
      const others = good.remains.views.filter((each) => each.projection !== 'totals' || each.key !== key)
      return withRemains(good, { views: [...others, { projection: 'totals', key, view }] })
    },
  },
]
