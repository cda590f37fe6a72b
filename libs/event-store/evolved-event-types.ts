import { type Aggregate, didYouMean, type NewEvent, quote } from '#domain'

import { EventStoreError } from './errors.ts'

/** The part of an aggregate that decides which events its streams may contain. */
export type EvolvedAggregate = Pick<Aggregate, 'type' | 'eventTypes' | 'evolves'>

/** Checks the types of events. @throws EventStoreError `unknown-event-type` with the path of the first event that the aggregate cannot evolve. */
export type EventTypeCheck = (aggregateType: string, events: readonly Pick<NewEvent, 'type'>[]) => void

/**
 * Rejects events that their aggregate cannot evolve: a stream with such an event can never be loaded again, and an event
 * cannot be removed. Streams of other aggregates are not checked.
 */
export function eventTypeCheck(aggregates: readonly EvolvedAggregate[]): EventTypeCheck {
  const byType = new Map(aggregates.map((aggregate) => [aggregate.type, aggregate]))
  return (aggregateType, events) => {
    const aggregate = byType.get(aggregateType)
    if (aggregate === undefined) return
    const index = events.findIndex(({ type }) => !aggregate.evolves(type))
    if (index >= 0) throw notEvolved(aggregate, events[index]?.type, `events[${index}].type`)
  }
}

const notEvolved = ({ type, eventTypes }: EvolvedAggregate, given: unknown, path: string): EventStoreError =>
  new EventStoreError(
    'unknown-event-type',
    `aggregate ${type} has no evolve for event type ${quote(given)}: it has ${eventTypes.join(', ') || 'none'}. Add it to the domain module first.${didYouMean(String(given), eventTypes)}`,
    { path },
  )
