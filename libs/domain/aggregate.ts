import { deepFreeze } from './deep-freeze.ts'
import { DomainError } from './domain-error.ts'
import type { DomainEvent } from './event.ts'
import { InvalidInputError, quote } from './invalid-input.ts'
import { parseAggregateType } from './stream-id.ts'

/** A request to change an aggregate. Unions of commands discriminate on the literal `type`. */
export interface DomainCommand<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly data: Data
}

/**
 * When snapshots are taken, and which of them are still valid.
 * @public
 */
export interface SnapshotPolicy {
  /** Events between two snapshots; default 10. */
  readonly every: number
  /** Increase it whenever `evolve` produces different states. Snapshots of other state versions are ignored. Default 1. */
  readonly stateVersion: number
  /** Name of the state's Avro schema, e.g. `CustomerState`. Without it, no snapshots are stored. */
  readonly schema?: string
}

/**
 * The definition of an aggregate: pure functions over readonly data.
 * The shape follows Jérémie Chassaing's decider, as in Emmett.
 */
export interface AggregateDefinition<
  State,
  Event extends DomainEvent,
  Command extends DomainCommand = never,
> {
  /** Lower-case letters, digits and hyphens; the part of the stream id before the first dot. */
  readonly type: string
  /** The state before the first event. It is deeply frozen, because all aggregates share it. */
  readonly initialState: State
  /** Returns the state after an event, by event type. Must not reject an event: it has already happened. */
  readonly evolve: { readonly [E in Event as E['type']]: (state: State, event: E) => State }
  /** Returns the events that a command produces, by command type; an empty array for no change. Rejects with {@link refuse}. */
  readonly decide?: {
    readonly [C in Command as C['type']]: (command: C, state: State) => Event | readonly Event[]
  }
  readonly snapshot?: Partial<SnapshotPolicy>
  /** Conditions, by name, that hold after every decision. Events already in the log are not checked. */
  readonly invariants?: Readonly<Record<string, (state: State) => boolean>>
  /** What to do with an event type that `evolve` lacks: throw an `error` (default), or `skip` the event. */
  readonly onUnknownEvent?: 'error' | 'skip'
}

/** A defined aggregate. Use it through {@link fold}, {@link decide}, a Repository or an AggregateRoot. */
export interface Aggregate<
  State = unknown,
  Event extends DomainEvent = DomainEvent,
  Command extends DomainCommand = DomainCommand,
> {
  readonly type: string
  readonly initialState: State
  readonly snapshot: SnapshotPolicy
  readonly eventTypes: readonly string[]
  readonly commandTypes: readonly string[]
  /** Whether {@link fold} accepts this event type: `evolve` has it, or the definition skips unknown types. */
  evolves(eventType: string): boolean
  /** One step of {@link fold}. */
  evolve(state: State, event: Event): State
  /** The events that a command produces, without checking invariants: see {@link decide}. */
  decide(state: State, command: Command): readonly Event[]
  /** The name of the first invariant that does not hold; undefined when all hold. */
  brokenInvariant(state: State): string | undefined
}

/**
 * Defines an aggregate: `defineAggregate<CustomerState, CustomerEvent, CustomerCommand>({ … })`.
 * @throws InvalidInputError when the type is malformed, or `snapshot.every` or `snapshot.stateVersion` is not a whole number from 1.
 */
export function defineAggregate<State, Event extends DomainEvent, Command extends DomainCommand = never>(
  definition: AggregateDefinition<State, Event, Command>,
): Aggregate<State, Event, Command> {
  const type = parseAggregateType(definition.type)
  const evolvers = handlers<(state: State, event: Event) => State>(definition.evolve)
  const deciders = handlers<(command: Command, state: State) => Event | readonly Event[]>(
    definition.decide ?? {},
  )
  const invariants = Object.entries(definition.invariants ?? {})
  return {
    type,
    initialState: deepFreeze(definition.initialState),
    snapshot: snapshotPolicy(type, definition.snapshot),
    eventTypes: [...evolvers.keys()],
    commandTypes: [...deciders.keys()],
    evolves: (eventType) => definition.onUnknownEvent === 'skip' || evolvers.has(eventType),
    evolve(state, event) {
      const evolver = evolvers.get(event.type)
      if (evolver !== undefined) return evolver(state, event)
      if (definition.onUnknownEvent === 'skip') return state
      throw unknown(type, 'event', event.type, 'evolve', evolvers)
    },
    decide(state, command) {
      const decider = deciders.get(command.type)
      if (decider === undefined) throw unknown(type, 'command', command.type, 'decide', deciders)
      const decided = decider(command, state)
      return isMany(decided) ? decided : [decided]
    },
    brokenInvariant: (state) => invariants.find(([, holds]) => !holds(state))?.[0],
  }
}

/**
 * Folds events into a state.
 * @param events oldest first.
 * @param from the state before the first event; default the initial state.
 * @throws InvalidInputError for an event type that the aggregate does not have, unless it skips unknown types.
 */
export function fold<State, Event extends DomainEvent>(
  aggregate: Pick<Aggregate<State, Event, never>, 'initialState' | 'evolve'>,
  events: readonly Event[],
  from: State = aggregate.initialState,
): State {
  return events.reduce((state, event) => aggregate.evolve(state, event), from)
}

/**
 * Returns the events that a command produces in this state.
 * @throws DomainError when the domain rejects the command, or the resulting state breaks an invariant (`invariant-broken`).
 * @throws InvalidInputError for a command type that the aggregate does not have.
 */
export function decide<State, Event extends DomainEvent, Command extends DomainCommand>(
  aggregate: Aggregate<State, Event, Command>,
  state: State,
  command: Command,
): readonly Event[] {
  const events = aggregate.decide(state, command)
  checkInvariants(aggregate, fold(aggregate, events, state))
  return events
}

/** @throws DomainError `invariant-broken` that names the first invariant that does not hold. */
export function checkInvariants<State>(
  aggregate: Pick<Aggregate<State, never, never>, 'type' | 'brokenInvariant'>,
  state: State,
): void {
  const invariant = aggregate.brokenInvariant(state)
  if (invariant === undefined) return
  throw new DomainError(
    'invariant-broken',
    `${aggregate.type} would break the invariant ${quote(invariant)}`,
    {
      invariant,
    },
  )
}

/** A map, because looking up the event type `constructor` in an object would find Object's own property. */
const handlers = <Handler>(byType: object): ReadonlyMap<string, Handler> =>
  new Map<string, Handler>(Object.entries(byType))

const isMany = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value)

function unknown(
  type: string,
  kind: string,
  name: string,
  table: string,
  known: ReadonlyMap<string, unknown>,
): InvalidInputError {
  const names = [...known.keys()].join(', ') || 'none'
  return new InvalidInputError(
    'type',
    `aggregate ${type} has no ${table} for ${kind} type ${quote(name)}: it has ${names}`,
  )
}

function snapshotPolicy(type: string, policy: Partial<SnapshotPolicy> = {}): SnapshotPolicy {
  const { every = 10, stateVersion = 1 } = policy
  for (const [name, value] of Object.entries({ every, stateVersion })) {
    if (Number.isSafeInteger(value) && value >= 1) continue
    throw new InvalidInputError(
      `snapshot.${name}`,
      `aggregate ${type} has snapshot.${name} ${value}: expected a whole number from 1`,
    )
  }
  return { ...policy, every, stateVersion }
}
