import { readFileSync } from 'node:fs'

import { parse } from 'yaml'

import { parseQuery } from './promql.ts'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

interface Recording {
  readonly record: string
  readonly expr: string
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] }
}

const rules = (
  parse(readFileSync('deploy/prometheus/rules.yml', 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly (Alert | Recording)[] }[]
  }
).groups.flatMap((group) => group.rules)

export const alerts = rules.filter((rule): rule is Alert => 'alert' in rule)
export const recordings = rules.filter((rule): rule is Recording => 'record' in rule)

const dashboard = JSON.parse(readFileSync('deploy/grafana/annals.json', 'utf8')) as Dashboard
export const { panels } = dashboard

/** A query of a rule, panel or dashboard variable, and the text that is rendered from its result. */
interface UsedQuery {
  readonly where: string
  readonly expr: string
  readonly text: string
}

export const queries: readonly UsedQuery[] = [
  ...recordings.map(({ record, expr }) => ({ where: record, expr, text: '' })),
  ...alerts.map(({ alert, expr, annotations }) => ({ where: alert, expr, text: annotations.summary })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: `panel ${title}`, expr, text: legendFormat })),
  ),
  ...dashboard.templating.list.flatMap(({ definition }) =>
    definition === undefined ? [] : [variable(definition)],
  ),
]

/** `label_values(<selector>, <label>)` */
function variable(definition: string): UsedQuery {
  const [, expr = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? []
  return { where: `variable ${definition}`, expr, text: `{{${label}}}` }
}

/** Labels referenced in a text: `{{ $labels.code }}` in Prometheus, `{{code}}` in Grafana. */
export const labelsIn = (text: string): string[] =>
  [...text.matchAll(/\{\{\s*(?:\$labels\.(\w+)|(\w+))\s*\}\}/g)].map(
    ([, ours, grafanas]) => ours ?? grafanas ?? '',
  )

/** Labels of a recording's series: those that it groups by. */
export const labelsOfRecording = ({ expr }: Recording): string[] =>
  parseQuery(expr).groupings.filter((label) => label !== 'le')

/** The metrics that a query uses, with recordings resolved to their source metrics. */
export function metricsBehind(expr: string): string[] {
  return parseQuery(expr).selectors.flatMap(({ metric }) => {
    const recording = recordings.find(({ record }) => record === metric)
    return recording === undefined ? [metric] : metricsBehind(recording.expr)
  })
}
