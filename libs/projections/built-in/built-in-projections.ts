import { type DomainModule, InvalidInputError, type Projection, quote } from '#domain'

import { aggregateStatistics } from './aggregate-statistics.ts'
import { eventTimeline } from './event-timeline.ts'

type Define = (aggregateTypes: readonly string[]) => Projection

const builtIns = new Map<string, Define>([
  ['event-timeline', eventTimeline],
  ['aggregate-statistics', aggregateStatistics],
])

/**
 * The built-in projections of these names, over all events of these aggregate types.
 * @param names `event-timeline`, `aggregate-statistics`.
 * @throws InvalidInputError when a name is unknown, or there is no aggregate type to project.
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
      `unknown built-in projection ${quote(name)}: expected one of ${known}`,
    )
  })
}

/**
 * Adds built-in projections over all aggregates of the domain module to the module's own.
 * @throws InvalidInputError as {@link builtInProjections}, and when a projection of the module has the name of one of them.
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
    `projection ${taken.name} of the domain has the name of a built-in projection that is enabled: rename it, or disable the built-in one`,
  )
}
