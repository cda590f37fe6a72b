import { isDeepStrictEqual } from 'node:util'

import type { KnownProjection, LoggedEvent, ViewOperation } from '../../history.ts'
import type { Evidence } from '../evidence.ts'
import { monthOf, type Totals, totalsAfterEach } from '../fold.ts'
import { aggregateIdOf, aggregateTypeOf } from '../stream-names.ts'
import { isSumOfPrefixes } from '../sums-of-prefixes.ts'
import type { Promised } from './promised.ts'

/**
 * A view is the fold of a prefix of each partition. With a token, it includes all events up to the token's position,
 * and never events that were sent after the read ended.
 */
export const freshViews: Promised = {
  name: 'views read with a token are never stale',
  *broken(evidence) {
    const views = new ViewsInTime(evidence)
    for (const operation of evidence.operations) {
      if (operation.kind !== 'view' || operation.outcome.is !== 'answered') continue
      const expected = views.expectedInstead(operation)
      if (expected === undefined) continue
      yield {
        where: `view ${operation.key} of ${operation.projection}`,
        expected,
        found: JSON.stringify(operation.outcome.view ?? null),
        operations: [operation],
      }
    }
  },
}

/** A view's events in one partition, and how many of them a read may include: at least and at most. */
interface Part {
  readonly events: readonly LoggedEvent[]
  readonly least: number
  readonly most: number
}

class ViewsInTime {
  readonly #evidence: Evidence
  readonly #events = new Map<string, ReadonlyMap<string, readonly LoggedEvent[]>>()
  readonly #totals = new Map<string, readonly Totals[]>()

  constructor(evidence: Evidence) {
    this.#evidence = evidence
  }

  /** @returns the expected view, if the response was wrong */
  expectedInstead(operation: ViewOperation): string | undefined {
    const projection = this.#evidence.remains.projections.find(({ name }) => name === operation.projection)
    if (projection === undefined) return 'a known projection'
    const parts = this.#parts(projection, operation)
    const view = operation.outcome.is === 'answered' ? (operation.outcome.view ?? null) : null
    const isTrue =
      projection.keyedBy === 'month'
        ? isSumOfPrefixes(view, parts)
        : this.#isTotal(view, `${projection.name} ${operation.key}`, parts)
    if (isTrue) return undefined
    const bounds = parts.map(({ events, least, most }) => `${least} to ${most} of ${events.length}`)
    return `the fold of ${bounds.join(' + ') || 'no'} events`
  }

  #isTotal(view: unknown, name: string, parts: readonly Part[]): boolean {
    const { events, least, most } = parts[0] ?? { events: [], least: 0, most: 0 }
    if (view === null) return least === 0
    const totals = this.#totals.get(name) ?? totalsAfterEach(events)
    this.#totals.set(name, totals)
    return totals.slice(Math.max(1, least), most + 1).some((total) => isDeepStrictEqual(view, total))
  }

  #parts(projection: KnownProjection, { key, after, endedAtMs }: ViewOperation): readonly Part[] {
    const events = this.#eventsOf(projection).get(key) ?? []
    return [...Map.groupBy(events, ({ partition }) => partition)].map(([partition, own]) => {
      const isConcerned = after?.partition === partition && own[0]?.topic === after.topic
      const late = own.findIndex((event) => this.#sentAtMs(event) > endedAtMs)
      return {
        events: own,
        least: isConcerned ? own.filter(({ offset }) => offset <= after.offset).length : 0,
        most: late < 0 ? own.length : late,
      }
    })
  }

  #eventsOf({ name, source, keyedBy }: KnownProjection): ReadonlyMap<string, readonly LoggedEvent[]> {
    const known = this.#events.get(name)
    if (known !== undefined) return known
    const events = this.#evidence.remains.log.filter(({ streamId }) => aggregateTypeOf(streamId) === source)
    const grouped = Map.groupBy(events, (event) =>
      keyedBy === 'month' ? monthOf(event) : aggregateIdOf(event.streamId),
    )
    this.#events.set(name, grouped)
    return grouped
  }

  /** It cannot have been in the log earlier. */
  #sentAtMs(event: LoggedEvent): number {
    const called = this.#evidence.appendsOf(event).map(({ calledAtMs }) => calledAtMs)
    return called.length === 0 ? -Infinity : Math.min(...called)
  }
}
