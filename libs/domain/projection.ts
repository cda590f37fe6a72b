import { deepFreeze } from './deep-freeze.ts'
import type { DomainEvent, RecordedEvent } from './event.ts'
import { InvalidInputError, quote } from './invalid-input.ts'
import { aggregateIdOf, aggregateTypeOf, parseAggregateType } from './stream-id.ts'

/** The view after an event; `null` deletes it. */
type Reducer<View, Event extends DomainEvent> = (view: View, event: RecordedEvent<Event>) => View | null

/** A projection as a module author writes it: a pure fold of events to views. */
export interface ProjectionDefinition<View, Event extends DomainEvent> {
  /** Lower-case letters, digits and hyphens; names the topic `projections.<name>`. */
  readonly name: string
  /** The aggregate type, or types, whose events are projected. */
  readonly source: string | readonly string[]
  /**
   * `stream`: all events of a view are of one stream, so partitions run independently.
   * `across`: a view gathers events of many streams, so its changes are compared and set.
   */
  readonly keyedBy: 'stream' | 'across'
  /**
   * The key of the view that an event belongs to; undefined for an event that belongs to none.
   * With `keyedBy: 'stream'` it must depend on the stream id alone; default there, for one source, the aggregate id.
   */
  readonly key?: (event: RecordedEvent<Event>) => string | undefined
  /** The view before its first event, and anew after its deletion. It is frozen, so that no reducer can change it for all. */
  readonly initialView: View
  /** What an event makes of a view, by event type. Types that are not named follow `onUnknown`. */
  readonly on: { readonly [E in Event as E['type']]?: Reducer<View, E> }
  /** Figures that views are sorted by in queries, by name: `{ spend: (view) => Number(view.spend) }`. */
  readonly indexes?: Readonly<Record<string, (view: View) => number>>
  /** A view that has not changed for this long is dropped. Default: kept for good. */
  readonly ttlMs?: number
  /** A view whose JSON is longer than this many bytes is refused like any other failure of an event. Default 1 MiB. */
  readonly bytesMax?: number
  /**
   * Name of the view's Avro schema, in `schemas/<name of the projection>/`: values of `projections.<name>` are written by
   * it. Default: a record with one field, `json`.
   */
  readonly schema?: string
  /** An event of a type that `on` does not name: `skip` (default), or a reducer for it. */
  readonly onUnknown?: 'skip' | Reducer<View, DomainEvent>
  /** An event that keeps failing: `stop` its partition (default), or set it aside in the dead letters. */
  readonly onError?: 'stop' | 'dead-letter'
  /** Raise it whenever the reducers give other views than before: the projection is then rebuilt. Default 1. */
  readonly viewVersion?: number
}

const bytesMaxDefault = 1 << 20

/** A defined projection, as a runner uses it. */
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
  /** Whether events of this type change views: by a reducer of their own or by the one for unknown types. */
  handles(eventType: string): boolean
  /** The key of the view that an event belongs to; undefined for none. */
  keyOf(event: RecordedEvent<Event>): string | undefined
  /** The view after an event. @param view undefined where there is none yet. @returns null when it is to be deleted. */
  apply(view: View | undefined, event: RecordedEvent<Event>): View | null
  /** The declared figures of a view. @throws InvalidInputError when one is not a finite number. */
  indexValues(view: View): Readonly<Record<string, number>>
}

/**
 * Declares a projection: `defineProjection<CustomerLifetime, CustomerEvent>({ … })`.
 * @throws InvalidInputError when a name, a source, a figure or the key is missing or malformed.
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
 * Folds events into views, in memory: what a runner comes to, for tests and small jobs.
 * @param views where to start from; not changed.
 * @param events in the order of the log. Those of other sources, of types not handled and without a key are passed over.
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

/** Two types may have the same aggregate id, so with several sources only the author knows what keeps keys apart. */
/** Modules may be plain JavaScript: what the type says is not so for sure. */
function checkKeyedBy(name: string, keyedBy: unknown): void {
  if (keyedBy === 'stream' || keyedBy === 'across') return
  throw wrong(name, 'keyedBy', `has keyedBy ${quote(keyedBy)}: expected "stream" or "across"`)
}

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
