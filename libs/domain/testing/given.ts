import { type Aggregate, decide, type DomainCommand, DomainError, type DomainEvent, fold } from '../index.ts'
import { expectEqual, ScenarioError } from './scenario-error.ts'

/**
 * What a command came to, to be compared. The checks themselves return nothing that has a `then`: a test may return
 * them, and no runner takes one for a promise.
 */
export interface AggregateOutcome<State, Event extends DomainEvent> {
  /** Just these events, in this order; `[]` for none. */
  then(events: readonly Event[]): Pick<AggregateOutcome<State, Event>, 'thenState'>
  /** The state after the given events and those that the command led to. */
  thenState(state: State): void
  /** The domain said no, with this code. */
  thenRefused(code: string): void
}

export interface AggregateScenario<State, Event extends DomainEvent, Command extends DomainCommand> {
  when(command: Command): AggregateOutcome<State, Event>
  /** Without a command: the state after the given events. */
  thenState(state: State): void
}

/**
 * `given(order, [placed]).when({ type: 'ShipOrder', data }).thenRefused('order-empty')`.
 * Knows no test runner: a check that fails throws an AssertionError with a readable difference.
 */
export function given<State, Event extends DomainEvent, Command extends DomainCommand>(
  aggregate: Aggregate<State, Event, Command>,
  events: readonly Event[],
): AggregateScenario<State, Event, Command> {
  const before = fold(aggregate, events)
  return {
    when: (command) => outcome(aggregate, before, command),
    thenState: (state) => expectEqual('the state after the given events differs', state, before),
  }
}

function outcome<State, Event extends DomainEvent, Command extends DomainCommand>(
  aggregate: Aggregate<State, Event, Command>,
  before: State,
  command: Command,
): AggregateOutcome<State, Event> {
  const decided = tryDecide(() => decide(aggregate, before, command))
  const thenState = (state: State): void => {
    const after = fold(aggregate, accepted(command, state, decided), before)
    expectEqual(`the state after ${command.type} differs`, state, after)
  }
  return {
    thenState,
    then(events) {
      expectEqual(`${command.type} led to other events`, events, accepted(command, events, decided))
      return { thenState }
    },
    thenRefused: (code) => expectRefused(command, code, decided),
  }
}

function expectRefused(command: DomainCommand, code: string, decided: unknown): void {
  const expected = `${command.type} was to be refused with ${code}, but`
  if (!(decided instanceof DomainError)) {
    throw new ScenarioError(`${expected} led to ${JSON.stringify(decided)}`, code, decided)
  }
  if (decided.code === code) return
  const cause = { cause: decided }
  throw new ScenarioError(
    `${expected} was with ${decided.code}: ${decided.message}`,
    code,
    decided.code,
    cause,
  )
}

/** Only a refusal is an outcome; any other error is a fault of the domain's code and goes through. */
function tryDecide<Event>(run: () => readonly Event[]): readonly Event[] | DomainError {
  try {
    return run()
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
}

function accepted<Event>(
  command: DomainCommand,
  expected: unknown,
  decided: readonly Event[] | DomainError,
): readonly Event[] {
  if (!(decided instanceof DomainError)) return decided
  const message = `${command.type} was refused with ${decided.code}: ${decided.message}`
  throw new ScenarioError(message, expected, decided.code, { cause: decided })
}
