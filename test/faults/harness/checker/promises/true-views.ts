import { isDeepStrictEqual } from 'node:util'

import type { KnownProjection, LoggedEvent } from '../../history.ts'
import { monthAfter, monthOf, totalsAfterEach } from '../fold.ts'
import { aggregateIdOf, aggregateTypeOf } from '../stream-names.ts'
import type { Promised } from './promised.ts'

/** The views are the fold of the whole log: all of them, and no more. */
export const trueViews: Promised = {
  name: 'views equal the fold of the log',
  *broken({ remains }) {
    for (const projection of remains.projections) {
      const expected = viewsOf(projection, remains.log)
      const found = remains.views.filter((view) => view.projection === projection.name)
      for (const key of new Set([...expected.keys(), ...found.map((view) => view.key)])) {
        const served = found.filter((view) => view.key === key).map(({ view }) => view)
        const wanted = expected.has(key) ? [expected.get(key)] : []
        if (isDeepStrictEqual(served, wanted)) continue
        yield {
          where: `view ${key} of ${projection.name}`,
          expected: textOf(wanted),
          found: textOf(served),
          operations: [],
        }
      }
    }
  },
}

/** An independent fold of the whole log. */
function viewsOf({ source, keyedBy }: KnownProjection, log: readonly LoggedEvent[]): Map<string, unknown> {
  const events = log.filter(({ streamId }) => aggregateTypeOf(streamId) === source)
  if (keyedBy === 'month') {
    return new Map([...Map.groupBy(events, monthOf)].map(([month, own]) => [month, monthAfter(own)]))
  }
  const streams = Map.groupBy(events, ({ streamId }) => aggregateIdOf(streamId))
  return new Map([...streams].map(([id, own]) => [id, totalsAfterEach(own).at(-1)]))
}

const textOf = (views: readonly unknown[]): string =>
  views.length === 0 ? 'no such view' : views.map((view) => JSON.stringify(view)).join(' and ')
