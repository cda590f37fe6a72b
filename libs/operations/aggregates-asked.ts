import { type Aggregate, type DomainModule, InvalidInputError, suggestion } from '#domain'

/**
 * The requested aggregates of the domain: those of the given types, or all if none is given.
 * @throws InvalidInputError for a type that the domain does not have.
 */
export function aggregatesAsked(
  { aggregates }: Pick<DomainModule, 'aggregates'>,
  types: readonly string[],
): readonly Aggregate[] {
  const known = aggregates.map(({ type }) => type)
  const unknown = types.find((type) => !known.includes(type))
  if (unknown !== undefined) {
    throw new InvalidInputError(
      'aggregateType',
      `the domain (ANNALS_DOMAIN) has no aggregate type ${unknown}${suggestion(unknown, known)}`,
    )
  }
  return types.length === 0 ? aggregates : aggregates.filter(({ type }) => types.includes(type))
}
