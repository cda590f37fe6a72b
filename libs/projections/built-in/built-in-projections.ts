import { type DomainModule, InvalidInputError, type Projection, quote } from '#domain'

import { aggregateStatistics } from './aggregate-statistics.ts'
import { eventTimeline } from './event-timeline.ts'

type Define = (aggregateTypes: readonly string[]) => Projection

const builtIns = new Map<string, Define>([
  ['event-timeline', eventTimeline],
  ['aggregate-statistics', aggregateStatistics],
])

/**
 * The projections that Annals brings along, over all events of these aggregate types.
 * @param names `event-timeline`, `aggregate-statistics`.
 * @throws InvalidInputError when there is none of a name, or there is no aggregate type to project.
 */
export function builtInProjections(
  names: readonly string[],
  aggregateTypes: readonly string[],
): readonly Projection[] {
  return [...new Set(names)].map((name) => {
    const define = builtIns.get(name)
    if (define !== undefined) return define(aggregateTypes)
    const known = [...builtIns.keys()].join(', ')
    throw new InvalidInputError(
      'projections',
      `there is no built-in projection ${quote(name)}: expected one of ${known}`,
    )
  })
}

/**
 * The domain module, and these built-in projections over all of its aggregates.
 * @throws InvalidInputError like {@link builtInProjections}, and when a projection of the module has the name of one of them.
 */
export function withBuiltIns(domain: DomainModule, names: readonly string[]): DomainModule {
  const added = builtInProjections(
    names,
    domain.aggregates.map(({ type }) => type),
  )
  const taken = added.find(({ name }) => domain.projections.some((own) => own.name === name))
  if (taken === undefined) return { ...domain, projections: [...domain.projections, ...added] }
  throw new InvalidInputError(
    'projections',
    `the domain has a projection ${taken.name}, which is the name of a built-in one that is switched on: give it another name, or switch the built-in one off`,
  )
}
