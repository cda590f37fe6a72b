import type { ReadOperation, StateOperation } from '../../history.ts'
import {
  acknowledged,
  eventsOf,
  lateMs,
  type Mutation,
  refused,
  sentOnce,
  stateAt,
  withOperation,
} from './mutations.ts'

/** Faulty responses: their content, or their time. */
export const answerMutations: readonly Mutation[] = [
  {
    name: 'a second answer says that it was appended now',
    promise: 'duplicates get the first answer',
    mutate(good, pick) {
      const operation = pick(acknowledged(good).filter(({ outcome }) => !outcome.duplicate))
      return operation && withOperation(good, { ...operation, op: 10_000 })
    },
  },
  {
    name: 'a second answer names another place',
    promise: 'duplicates get the first answer',
    mutate(good, pick) {
      const operation = pick(acknowledged(good))
      if (operation === undefined) return undefined
      const { position } = operation.outcome
      const outcome = {
        ...operation.outcome,
        duplicate: true,
        position: { ...position, offset: position.offset + 1 },
      }
      return withOperation(good, { ...operation, op: 10_000, outcome })
    },
  },
  {
    name: 'a history leaves an event out',
    promise: 'reads say what the log says',
    mutate(good, pick) {
      const operation = pick(readsOfMany(good.history))
      if (operation?.outcome.is !== 'answered') return undefined
      const outcome = { ...operation.outcome, events: operation.outcome.events.slice(1) }
      return withOperation(good, { ...operation, outcome })
    },
  },
  {
    name: 'a history holds an event of another stream',
    promise: 'reads say what the log says',
    mutate(good, pick) {
      const operation = pick(readsOfMany(good.history))
      if (operation?.outcome.is !== 'answered') return undefined
      const events = operation.outcome.events.map((event) => ({ ...event, id: `${event.id}x` }))
      return withOperation(good, { ...operation, outcome: { is: 'answered', events } })
    },
  },
  {
    name: 'a state is not the fold',
    promise: 'reads say what the log says',
    mutate(good, pick) {
      const operation = pick(statesOf(good.history))
      if (operation?.outcome.is !== 'answered') return undefined
      const state = { ...(operation.outcome.state as object), cds: 999 }
      return withOperation(good, { ...operation, outcome: { ...operation.outcome, state } })
    },
  },
  {
    name: 'a load misses what was acknowledged before it began',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const last = pick(
        acknowledged(good).filter(
          ({ streamId, outcome }) => outcome.lastVersion === eventsOf(good, streamId).length,
        ),
      )
      return last && withOperation(good, stateAt(good, last.streamId, last.outcome.firstVersion - 1, 'late'))
    },
  },
  {
    name: 'a history misses what was acknowledged before it began',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const last = pick(acknowledged(good))
      if (last === undefined) return undefined
      const { streamId } = last
      const [fromVersion, calledAtMs] = [last.outcome.firstVersion, lateMs]
      const read = {
        op: 10_000,
        client: 9,
        calledAtMs,
        endedAtMs: lateMs + 1,
        kind: 'read' as const,
        streamId,
      }
      return withOperation(good, { ...read, fromVersion, outcome: { is: 'answered', events: [] } })
    },
  },
  {
    name: 'a load shows what was not sent yet',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const operation = pick(acknowledged(good))
      if (operation === undefined) return undefined
      const { streamId, outcome } = operation
      return withOperation(good, stateAt(good, streamId, outcome.lastVersion, 'early'))
    },
  },
  {
    name: 'a load shows half an append',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const operation = pick(acknowledged(good).filter(({ events }) => events.length > 1))
      if (operation === undefined) return undefined
      const { streamId, outcome, calledAtMs, endedAtMs } = operation
      const state = stateAt(good, streamId, outcome.firstVersion, 'late')
      return withOperation(good, { ...state, calledAtMs, endedAtMs })
    },
  },
  {
    name: 'an append got in though its expectation was not met',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const operation = pick(sentOnce(good))
      const expectedVersion = (operation?.outcome.firstVersion ?? 0) + 5
      return operation && withOperation(good, { ...operation, expectedVersion })
    },
  },
  {
    name: 'an append was refused though its expectation was met',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const operation = pick(refused(good))
      if (operation?.outcome.actualVersion === undefined) return undefined
      return withOperation(good, { ...operation, expectedVersion: operation.outcome.actualVersion })
    },
  },
  {
    name: 'a refusal names a version that was never reached',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const operation = pick(refused(good))
      if (operation === undefined) return undefined
      const actualVersion = eventsOf(good, operation.streamId).length + 1
      return withOperation(good, { ...operation, outcome: { ...operation.outcome, actualVersion } })
    },
  },
  {
    name: 'versions run against time',
    promise: 'streams are linearizable',
    mutate(good, pick) {
      const once = sentOnce(good)
      const earlier = pick(
        once.filter(({ streamId, outcome }) =>
          once.some(
            (other) => other.streamId === streamId && other.outcome.firstVersion > outcome.lastVersion,
          ),
        ),
      )
      return earlier && withOperation(good, { ...earlier, calledAtMs: lateMs, endedAtMs: lateMs + 1 })
    },
  },
]

const readsOfMany = (history: Parameters<Mutation['mutate']>[0]['history']): ReadOperation[] =>
  history.filter(
    (each): each is ReadOperation =>
      each.kind === 'read' && each.outcome.is === 'answered' && each.outcome.events.length > 1,
  )

const statesOf = (history: Parameters<Mutation['mutate']>[0]['history']): StateOperation[] =>
  history.filter(
    (each): each is StateOperation =>
      each.kind === 'state' && each.outcome.is === 'answered' && each.outcome.version > 0,
  )
