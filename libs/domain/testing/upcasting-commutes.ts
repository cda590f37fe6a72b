import { type Aggregate, type DomainEvent, type UpcasterChain } from '../index.ts'
import { expectEqual } from './scenario-error.ts'

export interface CommutingUpcasts<State, Legacy extends DomainEvent, Event extends DomainEvent> {
  /** As it folded events of the older schema versions. Same type and state; lives in the test only. */
  readonly legacy: Aggregate<State, Legacy, never>
  /** As it folds them now. */
  readonly current: Aggregate<State, Event, never>
  readonly chain: UpcasterChain
  /** Schema versions by event type: that of the legacy events, and that of today's. Others are the same in both. */
  readonly versions: Readonly<Record<string, { readonly from: number; readonly to: number }>>
  /** A stream as it was written then. */
  readonly events: readonly Legacy[]
}

/**
 * Checks that upcasting commutes with folding: after each event, the legacy aggregate's state equals the one that
 * today's aggregate comes to from the upcasted event. So the rewritten history tells the same story, at every cut.
 * @throws AssertionError naming the first event after which the states differ.
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
    // That the upcasted event is one of today's is just what is under test.
    now = current.evolve(now, { type: event.type, data } as Event)
    expectEqual(`upcasting does not commute with folding: after events[${index}] (${event.type})`, then, now)
  }
}
