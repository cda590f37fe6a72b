import { deepFreeze } from './deep-freeze.ts'
import type { DomainEvent, RecordedEvent } from './event.ts'
import { InvalidInputError, quote } from './invalid-input.ts'
import { aggregateIdOf, aggregateTypeOf, parseAggregateType } from './stream-id.ts'

/** The view after an event; `null` deletes it. */
type Reducer<View, Event extends DomainEvent> = (view: View, event: RecordedEvent<Event>) => View | null

/** The definition of a projection: a pure fold of events into views. */
export interface ProjectionDefinition<View, Event extends DomainEvent> {
  /** Lower-case letters, digits and hyphens. The topic is `projections.<name>`. */
  readonly name: string
  /** The aggregate types whose events are projected: one or several. */
  readonly source: string | readonly string[]
  /**
   * `stream`: each view depends on one stream, so partitions are processed independently.
   * `across`: a view combines events of many streams, so its updates use compare-and-set.
   */
  readonly keyedBy: 'stream' | 'across'
  /**
   * Returns the key of the view that an event belongs to; undefined to ignore the event.
   * With `keyedBy: 'stream'` it must depend on the stream id alone. Default, for one source keyed by stream: the aggregate id.
   */
  readonly key?: (event: RecordedEvent<Event>) => string | undefined
  /** The view before its first event, and after a deletion. It is deeply frozen, because all views share it. */
  readonly initialView: View
  /** Reducers by event type: each returns the view after an event. `onUnknown` handles all other types. */
  readonly on: { readonly [E in Event as E['type']]?: Reducer<View, E> }
  /** Numbers that queries can sort views by, by name: `{ spend: (view) => Number(view.spend) }`. */
  readonly indexes?: Readonly<Record<string, (view: View) => number>>
  /** A view that has not changed for this many milliseconds is deleted. Default: never. */
  readonly ttlMs?: number
  /** Maximum size of a view as JSON, in bytes. An event that exceeds it fails, see `onError`. Default 1 MiB. */
  readonly bytesMax?: number
  /**
   * Name of the view's Avro schema in `schemas/<name of the projection>/`. Values in the topic `projections.<name>` are
   * encoded with it. Default: a record with one field, `json`.
   */
  readonly schema?: string
  /** How to handle event types that `on` lacks: `skip` them (default), or apply this reducer. */
  readonly onUnknown?: 'skip' | Reducer<View, DomainEvent>
  /** How to handle an event that keeps failing: `stop` its partition (default), or move it to the dead letters. */
  readonly onError?: 'stop' | 'dead-letter'
  /** Increase it whenever the reducers produce different views. The projection is then rebuilt. Default 1. */
  readonly viewVersion?: number
}

const bytesMaxDefault = 1 << 20

/** A defined projection, as the projection engine uses it. */
export interface Projection<View = unknown, Event extends DomainEvent = DomainEvent> {
  readonly name: string
  readonly sources: readonly string[]
  readonly keyedBy: 'stream' | 'across'
  readonly initialView: View
  readonly eventTypes: readonly string[]
  readonly indexNames: readonly string[]
  readonly ttlMs?: number
  readonly bytesMax: number
  readonly schema?: string
  readonly onError: 'stop' | 'dead-letter'
  readonly viewVersion: number
  /** Whether there is a reducer for this event type: its own, or the one for unknown types. */
  handles(eventType: string): boolean
  /** The key of the view that an event belongs to; undefined when the event is ignored. */
  keyOf(event: RecordedEvent<Event>): string | undefined
  /** Returns the view after an event. @param view undefined when there is none yet. @returns null to delete the view. */
  apply(view: View | undefined, event: RecordedEvent<Event>): View | null
  /** The index values of a view, by index name. @throws InvalidInputError when one is not a finite number. */
  indexValues(view: View): Readonly<Record<string, number>>
}

/**
 * Defines a projection: `defineProjection<CustomerLifetime, CustomerEvent>({ … })`.
 * @throws InvalidInputError when a name, a source, a number or the key is missing or malformed.
 */
export function defineProjection<View, Event extends DomainEvent>(
  definition: ProjectionDefinition<View, Event>,
): Projection<View, Event> {
  const { name, keyedBy, onError = 'stop', viewVersion = 1 } = definition
  const { bytesMax = bytesMaxDefault } = definition
  checkName(name)
  checkKeyedBy(name, keyedBy)
  const sources = typeof definition.source === 'string' ? [definition.source] : definition.source
  if (sources.length === 0) throw wrong(name, 'source', 'has no source: expected an aggregate type')
  sources.forEach(parseAggregateType)
  checkWhole(name, 'viewVersion', viewVersion)
  checkWhole(name, 'bytesMax', bytesMax)
  if (definition.ttlMs !== undefined) checkWhole(name, 'ttlMs', definition.ttlMs)
  const reducers = new Map<string, Reducer<View, Event>>(Object.entries(definition.on))
  const fallback = typeof definition.onUnknown === 'function' ? definition.onUnknown : undefined
  const indexes = Object.entries(definition.indexes ?? {})
  const initialView = deepFreeze(definition.initialView)
  return {
    name,
    sources,
    keyedBy,
    initialView,
    eventTypes: [...reducers.keys()],
    indexNames: indexes.map(([index]) => index),
    ...(definition.ttlMs === undefined ? {} : { ttlMs: definition.ttlMs }),
    bytesMax,
    ...(definition.schema === undefined ? {} : { schema: definition.schema }),
    onError,
    viewVersion,
    handles: (eventType) => fallback !== undefined || reducers.has(eventType),
    keyOf: definition.key ?? defaultKey(name, keyedBy, sources),
    apply(view = initialView, event) {
      const reducer = reducers.get(event.type) ?? fallback
      return reducer === undefined ? view : reducer(view, event)
    },
    indexValues: (view) =>
      Object.fromEntries(indexes.map(([index, valueOf]) => [index, finite(name, index, valueOf(view))])),
  }
}

/**
 * Folds events into views in memory, with the same result as the projection engine. For tests and small jobs.
 * @param views the views to start from; not changed.
 * @param events in log order. Events of other sources, of types without a reducer and without a key are ignored.
 */
export function project<View, Event extends DomainEvent>(
  projection: Projection<View, Event>,
  views: ReadonlyMap<string, View>,
  events: Iterable<RecordedEvent<Event>>,
): Map<string, View> {
  const projected = new Map(views)
  for (const event of events) {
    if (!projection.sources.includes(aggregateTypeOf(event.streamId))) continue
    if (!projection.handles(event.type)) continue
    const key = projection.keyOf(event)
    if (key === undefined) continue
    const view = projection.apply(projected.get(key), event)
    if (view === null) projected.delete(key)
    else projected.set(key, view)
  }
  return projected
}

const wrong = (name: string, field: string, what: string): InvalidInputError =>
  new InvalidInputError(`projections.${name}.${field}`, `projection ${name} ${what}`)

function checkName(name: string): void {
  if (/^[a-z][a-z0-9-]{0,99}$/.test(name)) return
  throw new InvalidInputError(
    'projections',
    `projection name ${quote(name)} is malformed: expected lower-case letters, digits and hyphens, starting with a letter, at most 100`,
  )
}

function checkWhole(name: string, field: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return
  throw wrong(name, field, `has ${field} ${value}: expected a whole number from 1`)
}

function finite(name: string, index: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  const shown = typeof value === 'number' ? String(value) : quote(value)
  throw wrong(name, `indexes.${index}`, `has ${shown} for its index ${index}: expected a finite number`)
}

/** Checked at run time too, because a domain module may be plain JavaScript. */
function checkKeyedBy(name: string, keyedBy: unknown): void {
  if (keyedBy === 'stream' || keyedBy === 'across') return
  throw wrong(name, 'keyedBy', `has keyedBy ${quote(keyedBy)}: expected "stream" or "across"`)
}

/** Aggregate ids are unique within one type only, so a projection of several sources has no default key. */
function defaultKey(name: string, keyedBy: 'stream' | 'across', sources: readonly string[]) {
  if (keyedBy === 'stream' && sources.length === 1) {
    return (event: Pick<RecordedEvent, 'streamId'>): string => aggregateIdOf(event.streamId)
  }
  throw wrong(
    name,
    'key',
    'has no key: only one keyed by stream, with one source, has a default (the aggregate id)',
  )
}
