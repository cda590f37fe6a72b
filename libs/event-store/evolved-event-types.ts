import { type Aggregate, meant, type NewEvent, quote } from '#domain'

import { EventStoreError } from './errors.ts'

/** What of an aggregate decides which events its streams may hold. */
export type EvolvedAggregate = Pick<Aggregate, 'type' | 'eventTypes' | 'evolves'>

/** @throws EventStoreError `unknown-event-type` with the path of the first event that the aggregate cannot evolve. */
export type EventTypeCheck = (aggregateType: string, events: readonly Pick<NewEvent, 'type'>[]) => void

/**
 * A stream with an event that its aggregate cannot evolve can never be loaded again, and an event cannot be taken back:
 * so such an event is refused. Streams of aggregates that are not among these are not judged.
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
    `aggregate ${type} has no evolve for event type ${quote(given)}: it knows ${eventTypes.join(', ') || 'none'}. Add it to the domain module first.${meant(String(given), eventTypes)}`,
    { path },
  )
