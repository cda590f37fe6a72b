import {
  aggregateTypeOf,
  type DomainEvent,
  InvalidInputError,
  parseAggregateType,
  type RecordedEvent,
} from '#domain'

/** Which events a subscriber gets: those that meet all given conditions. */
export interface EventFilter<Event extends DomainEvent = DomainEvent> {
  /** Default: all. */
  readonly eventTypes?: readonly Event['type'][]
  /** Aggregate types of the events' streams; default: all. */
  readonly categories?: readonly string[]
}

/** @throws InvalidInputError when a list is empty or a category is not an aggregate type. */
export function matcherOf({ eventTypes, categories }: EventFilter): (event: RecordedEvent) => boolean {
  categories?.forEach(parseAggregateType)
  const types = setOf('eventTypes', eventTypes)
  const sources = setOf('categories', categories)
  return ({ type, streamId }) =>
    (types?.has(type) ?? true) && (sources?.has(aggregateTypeOf(streamId)) ?? true)
}

function setOf(path: string, names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (names?.length !== 0) return names && new Set(names)
  throw new InvalidInputError(path, `${path} is empty, so no event would match: omit it to get all events`)
}
