import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { alerts, panels, queries, recordings } from '../../support/deploy/deploy-files.ts'
import { parseQuery } from '../../support/deploy/promql.ts'

const headings = [...readFileSync('docs/operations/alerts.md', 'utf8').matchAll(/^### (\w+)$/gm)].map(
  ([, name]) => name,
)
const metricsUsed = queries.flatMap(({ expr }) => parseQuery(expr).selectors.map(({ metric }) => metric))

describe('the rules', () => {
  test.each(queries)('$where: the query is PromQL', ({ expr }) => {
    expect(parseQuery(expr).selectors).not.toEqual([])
  })

  test('invalid PromQL is rejected', () => {
    expect(() => parseQuery('sum(rate(annals_writer_appends_total[5m])')).toThrow(/malformed/)
  })

  test('names are unique', () => {
    const names = [...alerts.map(({ alert }) => alert), ...recordings.map(({ record }) => record)]
    expect(new Set(names).size).toBe(names.length)
  })

  test('recorded series exist and are used', () => {
    const recorded = recordings.map(({ record }) => record)
    expect(new Set(metricsUsed.filter((name) => name.includes(':')))).toEqual(new Set(recorded))
  })

  test('every alert has a severity and a runbook section in alerts.md', () => {
    expect(headings.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
    for (const { alert, labels, annotations } of alerts) {
      expect(['page', 'warn'], alert).toContain(labels.severity)
      expect(annotations.runbook).toBe(`docs/operations/alerts.md#${alert.toLowerCase()}`)
    }
  })
})

describe('the example scrape configuration', () => {
  test('has the job and the rule file that the rules and the dashboard expect', () => {
    const scrape = parse(readFileSync('deploy/prometheus/scrape.yml', 'utf8')) as {
      readonly rule_files: readonly string[]
      readonly scrape_configs: readonly { readonly job_name: string }[]
    }
    expect(scrape.rule_files).toEqual(['rules.yml'])
    const jobs = queries.flatMap(({ expr }) =>
      parseQuery(expr).selectors.flatMap(({ matchers }) => matchers.filter(({ label }) => label === 'job')),
    )
    const [{ job_name: job } = {}] = scrape.scrape_configs
    expect(new Set(jobs.map(({ value }) => value))).toEqual(new Set([job]))
  })
})

describe('the dashboard', () => {
  test('has all its rows', () => {
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    const expected = ['Overview', 'Writer', 'Log and index', 'Snapshots', 'Projections', 'HTTP', 'Process']
    expect(rows).toEqual(expected)
  })

  test('has panels with unique ids that do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)}/${y + Math.floor(n / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    for (const { gridPos, title } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
  })
})
