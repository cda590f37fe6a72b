import { type Aggregate, fold } from './aggregate.ts'
import type { DomainEvent } from './event.ts'

/** A step takes well below a millisecond with an `evolve` of usual cost. */
const stepEvents = 500

/**
 * Like {@link fold}, but leaves the event loop to other work after every few hundred events.
 * @throws InvalidInputError for an event type that the aggregate does not have, unless it skips unknown types.
 */
export async function foldInSteps<State, Event extends DomainEvent>(
  aggregate: Pick<Aggregate<State, Event, never>, 'initialState' | 'evolve'>,
  events: readonly Event[],
  from: State,
): Promise<State> {
  let state = from
  for (let at = 0; at < events.length; at += stepEvents) {
    if (at > 0) await nextTurn()
    state = fold(aggregate, events.slice(at, at + stepEvents), state)
  }
  return state
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
