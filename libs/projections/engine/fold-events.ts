import { aggregateTypeOf, type Projection, type RecordedEvent } from '#domain'

import { type FedEvent, isReadable } from '#event-log/records'
import type { StoredView, ViewChange } from '../view-store/views.ts'
import { checkGiven, checkKey, viewJson } from './view-json.ts'

/** An event that changes a view. */
export interface FoldStep {
  readonly event: RecordedEvent
  readonly key: string
}

/** Why a projection cannot be built beyond an event. */
export interface FoldFailure {
  readonly event: FedEvent
  readonly error: Error
}

export interface Steps {
  readonly steps: readonly FoldStep[]
  readonly failure?: FoldFailure
}

/** Which events change which views, up to the first one whose key cannot be computed. */
export function stepsOf(projection: Projection, events: readonly FedEvent[]): Steps {
  const steps: FoldStep[] = []
  for (const event of events) {
    try {
      if (!isReadable(event)) throw event.unreadable
      const key = keyOf(projection, event)
      if (key !== undefined) steps.push({ event, key })
    } catch (error) {
      return { steps, failure: { event, error: asError(error) } }
    }
  }
  return { steps }
}

function keyOf(projection: Projection, event: RecordedEvent): string | undefined {
  if (!projection.handles(event.type)) return undefined
  if (!projection.sources.includes(aggregateTypeOf(event.streamId))) return undefined
  const key = projection.keyOf(event)
  return key === undefined ? undefined : checkKey(projection, key)
}

interface Folded {
  readonly changes: readonly ViewChange[]
  readonly failure?: FoldFailure
}

/**
 * Applies events to views: one change for each view, however many events it has.
 * @param stored the current views; a missing key has no view yet.
 */
export function foldSteps(
  projection: Projection,
  stored: ReadonlyMap<string, StoredView>,
  steps: readonly FoldStep[],
): Folded {
  const { touched, failure } = fold(projection, stored, steps, () => undefined)
  if (failure !== undefined) return { changes: [], failure }
  try {
    return { changes: touched.map((view) => changeOf(projection, view)).filter(changesAnything) }
  } catch (error) {
    // A view is invalid. Checking after each event finds the one that caused it; doing so always would be too slow.
    const { failure } = fold(projection, stored, steps, (view) => void changeOf(projection, view))
    // A non-deterministic reducer passes the second time. The batch must not be applied without its views.
    if (failure === undefined) throw error
    return { changes: [], failure }
  }
}

/** A view while events are applied to it. */
interface Touched {
  readonly key: string
  readonly expected: number
  /** Null: there is none. */
  view: unknown
  changedAtMs: number
  expiresAtMs: number | undefined
}

function fold(
  projection: Projection,
  stored: ReadonlyMap<string, StoredView>,
  steps: readonly FoldStep[],
  check: (view: Touched) => void,
): { readonly touched: readonly Touched[]; readonly failure?: FoldFailure } {
  const views = new Map<string, Touched>()
  for (const { event, key } of steps) {
    try {
      const view = views.get(key) ?? opened(key, stored.get(key))
      views.set(key, view)
      apply(projection, view, event)
      check(view)
    } catch (error) {
      return { touched: [], failure: { event, error: asError(error) } }
    }
  }
  return { touched: [...views.values()] }
}

const opened = (key: string, stored: StoredView | undefined): Touched => ({
  key,
  expected: stored?.revision ?? 0,
  view: stored === undefined ? null : (JSON.parse(stored.json) as unknown),
  changedAtMs: stored?.changedAtMs ?? 0,
  expiresAtMs: stored?.expiresAtMs,
})

/**
 * Expiry follows the times of events, so that a rebuild has the same result: a view that expired before an event starts over
 * with it. An event that comes late, from another partition or out of the dead letters, does not make a view older.
 */
function apply(projection: Projection, touched: Touched, event: RecordedEvent): void {
  const atMs = Date.parse(event.timestamp)
  const isDue = touched.expiresAtMs !== undefined && touched.expiresAtMs <= atMs
  const isNew = isDue || touched.view === null
  touched.view = checkGiven(
    projection,
    touched.key,
    projection.apply(isNew ? undefined : touched.view, event),
  )
  touched.changedAtMs = isNew ? atMs : Math.max(touched.changedAtMs, atMs)
  touched.expiresAtMs = projection.ttlMs === undefined ? undefined : touched.changedAtMs + projection.ttlMs
}

function changeOf(projection: Projection, touched: Touched): ViewChange {
  const { key, expected, view, changedAtMs, expiresAtMs } = touched
  if (view === null) return { key, expected, json: null, indexes: {}, changedAtMs }
  return {
    key,
    expected,
    json: viewJson(projection, key, view),
    indexes: projection.indexValues(view),
    changedAtMs,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  }
}

/** A view created and deleted within these events was never stored. */
const changesAnything = ({ expected, json }: ViewChange): boolean => expected > 0 || json !== null

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
