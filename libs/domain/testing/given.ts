import { type Aggregate, decide, type DomainCommand, DomainError, type DomainEvent, fold } from '../index.ts'
import { expectEqual, ScenarioError } from './scenario-error.ts'

/**
 * The outcome of a command. The checks return no object with a method `then`, so an asynchronous test may return them: they are
 * not mistaken for promises.
 * @public
 */
export interface AggregateOutcome<State, Event extends DomainEvent> {
  /** Checks the events: exactly these, in this order; `[]` for none. */
  then(events: readonly Event[]): Pick<AggregateOutcome<State, Event>, 'thenState'>
  /** Checks the state after the given events and the events of the command. */
  thenState(state: State): void
  /** Checks that the domain rejected the command with this code. */
  thenRefused(code: string): void
}

/** An aggregate with its given events. */
export interface AggregateScenario<State, Event extends DomainEvent, Command extends DomainCommand> {
  /** Decides a command. */
  when(command: Command): AggregateOutcome<State, Event>
  /** Checks the state after the given events, without a command. */
  thenState(state: State): void
}

/**
 * Tests an aggregate: `given(order, [placed]).when({ type: 'ShipOrder', data }).thenRefused('order-empty')`.
 * It works with any test runner: a failed check throws an AssertionError with a readable difference.
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
      expectEqual(`${command.type} produced other events`, events, accepted(command, events, decided))
      return { thenState }
    },
    thenRefused: (code) => expectRefused(command, code, decided),
  }
}

function expectRefused(command: DomainCommand, code: string, decided: unknown): void {
  const expected = `expected ${command.type} to be refused with ${code}, but it`
  if (!(decided instanceof DomainError)) {
    throw new ScenarioError(`${expected} produced ${JSON.stringify(decided)}`, code, decided)
  }
  if (decided.code === code) return
  const cause = { cause: decided }
  throw new ScenarioError(
    `${expected} was refused with ${decided.code}: ${decided.message}`,
    code,
    decided.code,
    cause,
  )
}

/** Returns a refusal as an outcome. Any other error is a defect in the domain's code and is thrown. */
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
