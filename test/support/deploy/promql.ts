import { parser } from '@prometheus-io/lezer-promql'

/** One condition in a selector, e.g. `status=~"5.."`. */
interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

export interface Selector {
  readonly metric: string
  readonly matchers: readonly Matcher[]
}

/** The parts of a PromQL query. */
export interface Query {
  readonly selectors: readonly Selector[]
  /** Labels that it groups or joins by. */
  readonly groupings: readonly string[]
  /** Whether it aggregates, so that only the grouping labels remain. */
  readonly aggregates: boolean
}

/** Parses a PromQL query, which may contain Grafana variables. @throws Error when it is malformed. */
export function parseQuery(text: string): Query {
  const query = text.replaceAll(/\$__\w+/g, '5m')
  const part = ({ from, to }: { from: number; to: number }) => query.slice(from, to)
  const selectors: { metric: string; matchers: Matcher[] }[] = []
  const groupings: string[] = []
  let aggregates = false
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`malformed at ${node.from}: ${text}`)
      const parent = node.node.parent?.name
      if (node.name === 'AggregateExpr') aggregates = true
      if (node.name === 'Identifier') selectors.push({ metric: part(node), matchers: [] })
      if (node.name === 'LabelName' && parent === 'GroupingLabels') groupings.push(part(node))
      if (node.name === 'UnquotedLabelMatcher') selectors.at(-1)?.matchers.push(matcherOf(part(node)))
    },
  })
  return { selectors, groupings, aggregates }
}

function matcherOf(text: string): Matcher {
  const [, label = '', operator = '', value = ''] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(text) ?? []
  return { label, operator, value }
}

/** Whether a label's value meets a condition. Every value meets a condition on a Grafana variable. */
export function fulfils(found: string, { operator, value }: Matcher): boolean {
  if (value.startsWith('$')) return true
  const isLike = operator.includes('~') ? new RegExp(`^(?:${value})$`).test(found) : found === value
  return operator.startsWith('!') ? !isLike : isLike
}
