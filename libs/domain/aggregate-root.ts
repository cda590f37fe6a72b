import { type Aggregate, checkInvariants, fold } from './aggregate.ts'
import type { AppendResult } from './aggregate-store.ts'
import type { DomainEvent, RecordedEvent } from './event.ts'
import { InvalidInputError } from './invalid-input.ts'
import type { LoadedAggregate } from './loaded-aggregate.ts'
import { validateSequence } from './sequence.ts'
import type { StreamId } from './stream-id.ts'
import type { Version } from './version.ts'

/**
 * Base class for aggregates written as classes. Methods check rules against `state` and `raise` events; the definition is the same.
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

  /** The state, including all events raised so far. */
  get state(): State {
    return this.#state
  }

  /** The version of the last event in the log. The next save expects it. */
  get version(): Version {
    return this.#version
  }

  /** Events that were raised but are not in the log yet, oldest first. */
  get uncommittedEvents(): readonly Event[] {
    return this.#uncommitted
  }

  /**
   * Applies events that are already in the log.
   * @throws InvalidInputError when they do not follow this version, or while there are uncommitted events.
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

  /** Marks the uncommitted events as saved. @param result the result of `save` */
  committed(result: Pick<AppendResult, 'lastVersion'>): void {
    this.#version = result.lastVersion
    this.#uncommitted = []
  }

  /**
   * Applies new events to the state and keeps them for the next save: all of them or none.
   * @throws DomainError `invariant-broken` when the resulting state breaks an invariant.
   */
  protected raise(...events: readonly Event[]): void {
    const state = fold(this.#aggregate, events, this.#state)
    checkInvariants(this.#aggregate, state)
    this.#state = state
    this.#uncommitted = [...this.#uncommitted, ...events]
  }
}
