import { type EventId, newEventId } from './event-id.ts'

interface MayHaveId {
  readonly id?: EventId
}

type Identified<Event> = Event & { readonly id: EventId }

/**
 * Gives an id to every event that has none. New ids are assigned only here; an import derives its ids from its source. Code that
 * retries an append calls it before the first try, so that the store recognises the retries.
 * @param idAt returns the id for the event at an index; default a new UUIDv7
 * @returns events that have ids unchanged, and copies of the others
 */
export const identifyEvents = <Event extends MayHaveId>(
  events: readonly Event[],
  idAt: (index: number) => EventId = newEventId,
): readonly Identified<Event>[] =>
  events.map((event, index) => (hasId(event) ? event : { ...event, id: idAt(index) }))

const hasId = <Event extends MayHaveId>(event: Event): event is Identified<Event> => event.id !== undefined
