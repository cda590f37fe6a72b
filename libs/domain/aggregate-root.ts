import { type Aggregate, checkInvariants, fold } from './aggregate.ts'
import type { AppendResult } from './aggregate-store.ts'
import type { DomainEvent, RecordedEvent } from './event.ts'
import { InvalidInputError } from './invalid-input.ts'
import type { LoadedAggregate } from './loaded-aggregate.ts'
import { validateSequence } from './sequence.ts'
import type { StreamId } from './stream-id.ts'
import type { Version } from './version.ts'

/**
 * The class style over the same definition: methods check the rules against `state` and `raise` events.
 *
 * ```ts
 * class Order extends AggregateRoot<OrderState, OrderEvent> {
 *   constructor(loaded: LoadedAggregate<OrderState>) { super(order, loaded) }
 *   ship(shippedAt: string) { if (this.state.items === 0) refuse('order-empty', …); this.raise({ type: 'OrderShipped', … }) }
 * }
 * const order = new Order(await orders.load('42'))
 * order.ship('2026-01-05T10:00:00.000Z')
 * order.committed(await orders.save(order, order.uncommittedEvents))
 * ```
 */
export abstract class AggregateRoot<State, Event extends DomainEvent> {
  readonly streamId: StreamId
  readonly #aggregate: Aggregate<State, Event, never>
  #state: State
  #version: Version
  #uncommitted: readonly Event[] = []

  constructor(aggregate: Aggregate<State, Event, never>, loaded: LoadedAggregate<State>) {
    this.#aggregate = aggregate
    this.streamId = loaded.streamId
    this.#state = loaded.state
    this.#version = loaded.version
  }

  /** With all events raised so far. */
  get state(): State {
    return this.#state
  }

  /** Of the last event that is in the log: what the next save expects. */
  get version(): Version {
    return this.#version
  }

  /** Raised and not in the log yet, oldest first. */
  get uncommittedEvents(): readonly Event[] {
    return this.#uncommitted
  }

  /**
   * Takes in events that are in the log already.
   * @throws InvalidInputError when they do not follow this version, or while events wait to be saved.
   */
  apply(...events: readonly RecordedEvent<Event>[]): void {
    if (this.#uncommitted.length > 0) {
      throw new InvalidInputError(
        'events',
        `${this.streamId} has ${this.#uncommitted.length} uncommitted events: save them before applying others`,
      )
    }
    const version = validateSequence(this.streamId, this.#version, events)
    this.#state = fold(this.#aggregate, events, this.#state)
    this.#version = version
  }

  /** Says that the uncommitted events are in the log now: pass what `save` answered. */
  committed(result: Pick<AppendResult, 'lastVersion'>): void {
    this.#version = result.lastVersion
    this.#uncommitted = []
  }

  /**
   * Lets events happen: the state changes at once, all of them or none.
   * @throws DomainError `invariant-broken` when the state afterwards would break an invariant.
   */
  protected raise(...events: readonly Event[]): void {
    const state = fold(this.#aggregate, events, this.#state)
    checkInvariants(this.#aggregate, state)
    this.#state = state
    this.#uncommitted = [...this.#uncommitted, ...events]
  }
}
