import type { Aggregate } from './aggregate.ts'
import { InvalidInputError } from './invalid-input.ts'
import type { Projection } from './projection.ts'
import { createUpcasterChain, type Upcaster } from './upcaster.ts'

/** A domain as a service loads it: the default export of an ES module of pure functions. */
export interface DomainModule {
  readonly aggregates: readonly Aggregate[]
  readonly projections: readonly Projection[]
  readonly upcasters: readonly Upcaster[]
}

/**
 * Builds a domain module and checks that its parts are consistent.
 * @throws InvalidInputError when two aggregates have the same type, two projections the same name, two upcasters the same
 * step, or when a projection or an upcaster refers to an aggregate or event that the module does not have.
 */
export function defineDomain(parts: Partial<DomainModule>): DomainModule {
  const { aggregates = [], projections = [], upcasters = [] } = parts
  checkUnique(
    'aggregates',
    'type',
    aggregates.map(({ type }) => type),
  )
  checkUnique(
    'projections',
    'name',
    projections.map(({ name }) => name),
  )
  createUpcasterChain(upcasters)
  const eventTypes = new Map(aggregates.map((aggregate) => [aggregate.type, aggregate.eventTypes]))
  for (const projection of projections) checkProjection(projection, eventTypes)
  for (const upcaster of upcasters) checkUpcaster(upcaster, eventTypes)
  return { aggregates, projections, upcasters }
}

type EventTypes = ReadonlyMap<string, readonly string[]>

function checkUnique(part: keyof DomainModule, field: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  throw new InvalidInputError(part, `two ${part} have the ${field} ${twice}: expected each once`)
}

function checkProjection(projection: Projection, eventTypes: EventTypes): void {
  const where = `projection ${projection.name}`
  const known = projection.sources.flatMap((source) => eventsOf(source, where, eventTypes))
  for (const type of projection.eventTypes) checkEvent(type, where, projection.sources, known)
}

function checkUpcaster({ aggregateType, eventType, fromVersion }: Upcaster, eventTypes: EventTypes): void {
  const where = `upcaster of ${aggregateType}.${eventType} from version ${fromVersion}`
  checkEvent(eventType, where, [aggregateType], eventsOf(aggregateType, where, eventTypes))
}

function eventsOf(type: string, where: string, eventTypes: EventTypes): readonly string[] {
  const events = eventTypes.get(type)
  if (events !== undefined) return events
  const known = [...eventTypes.keys()].join(', ') || 'none'
  throw new InvalidInputError(
    'aggregates',
    `${where} refers to aggregate ${type}, which is not in this module: it has ${known}`,
  )
}

function checkEvent(type: string, where: string, sources: readonly string[], known: readonly string[]): void {
  if (known.includes(type)) return
  throw new InvalidInputError(
    'aggregates',
    `${where} refers to event ${type}, which ${sources.join(' and ')} does not have: expected one of ${known.join(', ')}`,
  )
}
