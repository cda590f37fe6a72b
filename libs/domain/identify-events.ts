import { type EventId, newEventId } from './event-id.ts'

interface MayHaveId {
  readonly id?: EventId
}

type Identified<Event> = Event & { readonly id: EventId }

/**
 * Gives an id to every event that has none. This is the one place where events get their ids: whoever sends events more than once
 * calls it before the first try, so that the log recognises every further one.
 * @param idAt makes the id of the event at an index; default a fresh UUIDv7
 * @returns the events that have ids as they are, the others copied
 */
export const identifyEvents = <Event extends MayHaveId>(
  events: readonly Event[],
  idAt: (index: number) => EventId = newEventId,
): readonly Identified<Event>[] =>
  events.map((event, index) => (hasId(event) ? event : { ...event, id: idAt(index) }))

const hasId = <Event extends MayHaveId>(event: Event): event is Identified<Event> => event.id !== undefined
