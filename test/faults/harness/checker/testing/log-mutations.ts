import type { LoggedEvent } from '../../history.ts'
import { acknowledged, eventsOf, logOf, type Mutation, refused, withLog, withOperation } from './mutations.ts'

type Log = readonly LoggedEvent[]

const changed = (log: Log, which: LoggedEvent, change: Partial<LoggedEvent>): Log =>
  log.map((event) => (event === which ? { ...event, ...change } : event))

/** An event after the end of its stream and its partition. */
const atEnd = (log: Log, event: Pick<LoggedEvent, 'id' | 'type' | 'data'>, like: LoggedEvent): Log => [
  ...log,
  {
    ...event,
    ...{ streamId: like.streamId, topic: like.topic, partition: like.partition, producer: like.producer },
    offset: Math.max(...log.map(({ offset }) => offset)) + 1,
    version: log.filter(({ streamId }) => streamId === like.streamId).length + 1,
  },
]

/** Faults in the log. */
export const logMutations: readonly Mutation[] = [
  {
    name: 'an acknowledged event is lost',
    promise: 'acknowledged events are where the answer said',
    mutate(good, pick) {
      const answer = pick(acknowledged(good))
      const lost = pick(answer?.events ?? [])
      return lost && withLog(good, (log) => log.filter(({ id }) => id !== lost.id))
    },
  },
  {
    name: 'a stream has a hole',
    promise: 'versions are contiguous',
    mutate(good, pick) {
      const lost = pick(logOf(good).filter((event) => eventsOf(good, event.streamId).at(-1) !== event))
      return lost && withLog(good, (log) => log.filter((event) => event !== lost))
    },
  },
  {
    name: 'a version is given twice',
    promise: 'versions are contiguous',
    mutate(good, pick) {
      const event = pick(logOf(good).filter(({ version }) => version > 1))
      return event && withLog(good, (log) => changed(log, event, { version: event.version - 1 }))
    },
  },
  {
    name: 'two events of a stream are in the wrong order',
    promise: 'log order is version order',
    mutate(good, pick) {
      const event = pick(logOf(good).filter(({ version }) => version > 1))
      const before = logOf(good).find(
        (each) => each.streamId === event?.streamId && each.version === event.version - 1,
      )
      if (event === undefined || before === undefined) return undefined
      return withLog(good, (log) =>
        log.map((each) => {
          if (each === event) return { ...event, version: before.version }
          return each === before ? { ...before, version: event.version } : each
        }),
      )
    },
  },
  {
    name: 'a stream goes on in another partition',
    promise: 'log order is version order',
    mutate(good, pick) {
      const event = pick(logOf(good).filter(({ version }) => version > 1))
      return event && withLog(good, (log) => changed(log, event, { partition: event.partition + 1 }))
    },
  },
  {
    name: 'an event is there twice',
    promise: 'each event is in the log at most once',
    mutate(good, pick) {
      const event = pick(logOf(good))
      return event && withLog(good, (log) => atEnd(log, event, event))
    },
  },
  {
    name: 'a refused event is there',
    promise: 'refused events are nowhere',
    mutate(good, pick) {
      const operation = pick(
        refused(good).filter(({ events: [event] }) =>
          good.history.every(
            (each) =>
              each.kind !== 'append' || each.outcome.is === 'refused' || each.events[0]?.id !== event?.id,
          ),
        ),
      )
      const [event] = operation?.events ?? []
      const like = eventsOf(good, operation?.streamId ?? '').at(-1)
      return event && like && withLog(good, (log) => atEnd(log, event, like))
    },
  },
  {
    name: 'the log has an event that no client sent',
    promise: 'the log holds what was sent',
    mutate(good, pick) {
      const like = pick(logOf(good))
      return like && withLog(good, (log) => atEnd(log, { ...like, id: 'unsent' }, like))
    },
  },
  {
    name: 'an event has other content',
    promise: 'the log holds what was sent',
    mutate(good, pick) {
      const event = pick(logOf(good))
      return event && withLog(good, (log) => changed(log, event, { data: { ...event.data, cds: 99 } }))
    },
  },
  {
    name: 'half an append is missing',
    promise: 'batches are whole',
    mutate(good, pick) {
      const operation = pick(batches(good.history, logOf(good)))
      const lost = operation?.events.at(-1)
      return lost && withLog(good, (log) => log.filter(({ id }) => id !== lost.id))
    },
  },
  {
    name: 'another event is between the events of an append',
    promise: 'batches are whole',
    mutate(good, pick) {
      const second = pick(batches(good.history, logOf(good)))?.events[1]
      const split = logOf(good).find(({ id }) => id === second?.id)
      if (split === undefined) return undefined
      const isBehind = ({ partition, offset }: LoggedEvent) =>
        partition === split.partition && offset >= split.offset
      return withLog(good, (log) =>
        log.map((event) => (isBehind(event) ? { ...event, offset: event.offset + 1 } : event)),
      )
    },
  },
  {
    name: 'an answer names other versions',
    promise: 'acknowledged events are where the answer said',
    mutate(good, pick) {
      const operation = pick(acknowledged(good))
      if (operation === undefined) return undefined
      const { firstVersion, lastVersion } = operation.outcome
      const versions = { firstVersion: firstVersion + 1, lastVersion: lastVersion + 1 }
      return withOperation(good, { ...operation, outcome: { ...operation.outcome, ...versions } })
    },
  },
  {
    name: 'an answer names another position',
    promise: 'acknowledged events are where the answer said',
    mutate(good, pick) {
      const operation = pick(acknowledged(good))
      if (operation === undefined) return undefined
      const { position } = operation.outcome
      const moved = { ...position, offset: position.offset + 1 }
      return withOperation(good, { ...operation, outcome: { ...operation.outcome, position: moved } })
    },
  },
]

/** Appends of several events that are in the log and were not rejected. */
const batches = (history: Parameters<Mutation['mutate']>[0]['history'], log: Log) =>
  history.filter(
    (each) =>
      each.kind === 'append' &&
      each.outcome.is !== 'refused' &&
      each.events.length > 1 &&
      log.some(({ id }) => id === each.events[0]?.id),
  ) as Extract<(typeof history)[number], { kind: 'append' }>[]
