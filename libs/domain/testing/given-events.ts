import { type DomainEvent, project, type Projection, quote, type RecordedEvent } from '../index.ts'
import { expectEqual, ScenarioError } from './scenario-error.ts'

/** The views that a projection folded from events. Each check returns the same object, so checks can be chained. */
export interface ProjectionOutcome<View> {
  /** Checks the view with this key. */
  thenView(key: string, view: View): ProjectionOutcome<View>
  /** Checks that there is no view with this key. */
  thenNoView(key: string): ProjectionOutcome<View>
  /** Checks all views: exactly these, and no others. */
  thenViews(views: Readonly<Record<string, View>>): ProjectionOutcome<View>
  /** Checks the index values of a view. */
  thenIndexes(key: string, values: Readonly<Record<string, number>>): ProjectionOutcome<View>
}

/** Tests a projection: `givenEvents(customerLifetime, recordEvents('customer.00001', [purchase])).thenView('00001', { purchases: 1, … })`. */
export function givenEvents<View, Event extends DomainEvent>(
  projection: Projection<View, Event>,
  events: Iterable<RecordedEvent<Event>>,
): ProjectionOutcome<View> {
  const views = project(projection, new Map<string, View>(), events)
  const viewOf = (key: string): View => {
    const view = views.get(key)
    if (view !== undefined) return view
    const keys = [...views.keys()].slice(0, 10).map(quote).join(', ') || 'none'
    throw new ScenarioError(`${projection.name} has no view ${quote(key)}: it has ${keys}`, key, [
      ...views.keys(),
    ])
  }
  const checks: ProjectionOutcome<View> = {
    thenView(key, view) {
      expectEqual(`view ${quote(key)} of ${projection.name} differs`, view, viewOf(key))
      return checks
    },
    thenNoView(key) {
      expectEqual(`expected ${projection.name} to have no view ${quote(key)}`, undefined, views.get(key))
      return checks
    },
    thenViews(expected) {
      expectEqual(`views of ${projection.name} differ`, expected, Object.fromEntries(views))
      return checks
    },
    thenIndexes(key, values) {
      const actual = projection.indexValues(viewOf(key))
      expectEqual(`indexes of view ${quote(key)} of ${projection.name} differ`, values, actual)
      return checks
    },
  }
  return checks
}
