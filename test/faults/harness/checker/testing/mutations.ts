import type {
  AppendOperation,
  LoggedEvent,
  LoggedMarker,
  Operation,
  Producer,
  Remains,
  StateOperation,
} from '../../history.ts'
import { countedEvents } from '../counted.ts'
import { totalsAfterEach } from '../fold.ts'
import type { Case } from './good-history.ts'

/** One way to break one promise. */
export interface Mutation {
  readonly name: string
  readonly promise: string
  /** @param pick chooses a place to break. @returns undefined if the case has no such place */
  readonly mutate: (good: Case, pick: <T>(from: readonly T[]) => T | undefined) => Case | undefined
}

type Acknowledged = AppendOperation & { outcome: { is: 'acknowledged' } }
type Refused = AppendOperation & { outcome: { is: 'refused' } }

export const lateMs = 1_000_000
const late = { op: 10_000, client: 9, calledAtMs: lateMs, endedAtMs: lateMs + 1 }
const early = { ...late, calledAtMs: -200, endedAtMs: -100 }

export const acknowledged = ({ history }: Case): Acknowledged[] =>
  history.filter((each): each is Acknowledged => each.kind === 'append' && each.outcome.is === 'acknowledged')

export const refused = ({ history }: Case): Refused[] =>
  history.filter((each): each is Refused => each.kind === 'append' && each.outcome.is === 'refused')

export const withRemains = ({ history, remains }: Case, change: Partial<Remains>): Case => ({
  history,
  remains: { ...remains, ...change },
})

/** The events that count, in the order of the log. */
export const logOf = ({ remains }: Case): readonly LoggedEvent[] => countedEvents(remains)

/** The stray events. */
export const straysOf = (good: Case): readonly LoggedEvent[] => {
  const counted = new Set(logOf(good))
  return good.remains.log.filter((event) => !counted.has(event))
}

/** @param change of the events that count; they count afterwards too */
export const withLog = (
  good: Case,
  change: (log: readonly LoggedEvent[]) => readonly LoggedEvent[],
): Case => {
  const changed = change(logOf(good))
  const places = new Map(
    changed.map(({ topic, partition }) => [`${topic}/${partition}`, { topic, partition }]),
  )
  const first = [...places.values()].map((place): LoggedMarker => ({
    ...place,
    ...{ offset: -1, timestampMs: 0, producer: { id: '0', epoch: 0 } },
  }))
  const markers = [...first, ...good.remains.markers]
  const log = changed.map((event) => ({ ...event, producer: termAt(markers, event) }))
  return withRemains(good, { log: [...log, ...straysOf(good)], markers })
}

const termAt = (markers: readonly LoggedMarker[], { topic, partition, offset }: LoggedEvent): Producer =>
  markers
    .filter((marker) => marker.topic === topic && marker.partition === partition && marker.offset < offset)
    .reduce((last, marker) => (marker.offset >= last.offset ? marker : last)).producer

export const withOperation = ({ history, remains }: Case, operation: Operation): Case => ({
  history: [...history.filter(({ op }) => op !== operation.op), operation],
  remains,
})

/** The stream's events, in order. */
export const eventsOf = (good: Case, streamId: string): readonly LoggedEvent[] =>
  logOf(good).filter((event) => event.streamId === streamId)

/** A load with the correct state of a version, long after or long before everything else. */
export function stateAt(
  good: Case,
  streamId: string,
  version: number,
  when: 'late' | 'early',
): StateOperation {
  const state = totalsAfterEach(eventsOf(good, streamId))[version]
  return {
    ...(when === 'late' ? late : early),
    kind: 'state',
    streamId,
    outcome: { is: 'answered', version, state },
  }
}

/** Acknowledged appends that were sent once. */
export const sentOnce = (good: Case): Acknowledged[] =>
  acknowledged(good).filter(
    ({ streamId, events: [event] }) =>
      good.history.filter(
        (each) => each.kind === 'append' && each.streamId === streamId && each.events[0]?.id === event?.id,
      ).length === 1,
  )

export const viewLate = { ...late, kind: 'view' as const }
export const viewEarly = { ...early, kind: 'view' as const }
