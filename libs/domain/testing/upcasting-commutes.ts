import { type Aggregate, type DomainEvent, type UpcasterChain } from '../index.ts'
import { expectEqual } from './scenario-error.ts'

/** The input of {@link upcastingCommutes}. */
export interface CommutingUpcasts<State, Legacy extends DomainEvent, Event extends DomainEvent> {
  /** The aggregate for the old schema versions, with the same type and state. Define it in the test. */
  readonly legacy: Aggregate<State, Legacy, never>
  /** The current aggregate. */
  readonly current: Aggregate<State, Event, never>
  /** The upcasters under test. */
  readonly chain: UpcasterChain
  /** Old and current schema version by event type. Types that are not listed are unchanged. */
  readonly versions: Readonly<Record<string, { readonly from: number; readonly to: number }>>
  /** A stream with data of the old schema versions. */
  readonly events: readonly Legacy[]
}

/**
 * Checks that upcasting commutes with folding: after each event, the legacy aggregate and the current aggregate have the same
 * state, where the current aggregate folds the upcast event.
 * @throws AssertionError that names the first event after which the states differ.
 */
export function upcastingCommutes<State, Legacy extends DomainEvent, Event extends DomainEvent>(
  scenario: CommutingUpcasts<State, Legacy, Event>,
): void {
  const { legacy, current, chain, versions, events } = scenario
  let then = legacy.initialState
  let now = current.initialState
  for (const [index, event] of events.entries()) {
    const { from, to } = versions[event.type] ?? { from: 1, to: 1 }
    const data = chain.upcast(current.type, event.type, from, to, event.data)
    then = legacy.evolve(then, event)
    // The test checks that the upcast event is an event of the current aggregate.
    now = current.evolve(now, { type: event.type, data } as Event)
    expectEqual(`upcasting does not commute with folding: after events[${index}] (${event.type})`, then, now)
  }
}
