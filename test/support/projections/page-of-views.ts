import type { Projection } from '#domain'
import { invalidRequest } from '#event-store'
import type { ViewsPage, ViewsQuery } from '#projections'

import type { InMemoryView } from './in-memory-generation.ts'

interface Place {
  readonly key: string
  readonly figure: number
}

/** A page of the given views, by the rules of the port. */
export function pageOf(
  projection: Projection,
  views: ReadonlyMap<string, InMemoryView>,
  { orderBy, descending = false, limit = 100, cursor }: ViewsQuery,
): ViewsPage {
  if (orderBy !== undefined && !projection.indexNames.includes(orderBy)) {
    throw invalidRequest('orderBy', `${projection.name} has no index ${orderBy}`)
  }
  const figureOf = (view: unknown) =>
    orderBy === undefined ? 0 : (projection.indexValues(view)[orderBy] ?? 0)
  const order = descending ? -1 : 1
  const compare = (a: Place, b: Place) =>
    order * (a.figure - b.figure || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  const after = cursor === undefined ? undefined : placeOf(cursor)
  const rest = [...views]
    .map(([key, found]) => ({ key, ...found, figure: figureOf(found.view) }))
    .filter((view) => after === undefined || compare(after, view) < 0)
    .toSorted(compare)
  const page = rest.slice(0, limit)
  const last = rest.length > limit ? page.at(-1) : undefined
  return {
    views: page.map(({ key, view, changedAt }) => ({ key, view, changedAt })),
    ...(last !== undefined && { next: JSON.stringify({ key: last.key, figure: last.figure }) }),
  }
}

function placeOf(cursor: string): Place {
  try {
    return JSON.parse(cursor) as Place
  } catch {
    throw invalidRequest('cursor', `cursor ${cursor} is malformed`)
  }
}
