import type { AppendOperation, LoggedEvent, Operation, Remains, StateOperation } from '../../history.ts'
import { totalsAfterEach } from '../fold.ts'
import type { Case } from './good-history.ts'

/** One way to break one promise. */
export interface Mutation {
  readonly name: string
  readonly promise: string
  /** @param pick chooses among places to break. @returns nothing where the case has no such place. */
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

export const withLog = (good: Case, change: (log: readonly LoggedEvent[]) => readonly LoggedEvent[]): Case =>
  withRemains(good, { log: change(good.remains.log) })

export const withOperation = ({ history, remains }: Case, operation: Operation): Case => ({
  history: [...history.filter(({ op }) => op !== operation.op), operation],
  remains,
})

/** The stream's events, in order. */
export const eventsOf = ({ remains }: Case, streamId: string): readonly LoggedEvent[] =>
  remains.log.filter((event) => event.streamId === streamId)

/** A load that answers with what is true of a version, long after or long before all else. */
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
