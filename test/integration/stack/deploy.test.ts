import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { PrincipalLimits } from '#limits'
import { createMetrics } from '#observability'

import { startPlatform } from '../../../services/platform/index.ts'
import {
  alerts,
  labelsIn,
  labelsOfRecording,
  metricsBehind,
  queries,
  recordings,
} from '../../support/deploy/deploy-files.ts'
import { type ExportedMetric, readExported } from '../../support/deploy/exported-metrics.ts'
import { callerOf } from '../../support/http/http-call.ts'
import { fulfils, parseQuery, type Selector } from '../../support/deploy/promql.ts'
import { startReal } from '../../support/services/real-service.ts'
import { installation } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { freshStream, purchase, purchases } from '../../support/services/writer-fixture.ts'

// Compares rules, dashboard and the metrics page with the metrics that writer, snapshotter and projector export after some traffic.

/** Process metrics (file descriptors, data segment) that exist only on Linux. */
const describeOnLinux = describe.skipIf(process.platform !== 'linux')

/** Labels added by Prometheus, the registry and histograms. */
const labelsOfAll = ['job', 'instance', 'service']
const histogramParts = /_(bucket|sum|count)$/

let exported: ReadonlyMap<string, ExportedMetric>
let close: () => Promise<void>

beforeAll(async () => {
  const where = installation({ ANNALS_PROJECTOR_AFTER_TIMEOUT: '50ms' })
  const metrics = createMetrics({ service: 'platform' })
  const limits = new PrincipalLimits({ defaults: {}, metrics })
  const platform = await startReal(where.env, (parts) =>
    startPlatform({ ...parts, metrics, protection: { close: () => Promise.resolve(), limits } }),
  )
  close = async () => {
    await platform.close()
    where.domain.remove()
  }
  const call = callerOf(platform.url)
  const streamId = freshStream(where.type)
  const events = purchases(12)
  const path = `/streams/${streamId}`
  await call('GET', `${path}/load`)
  expect((await call('POST', `${path}/events`, { events })).status).toBe(201)
  expect((await call('POST', `${path}/events`, { events })).status).toBe(200)
  expect((await call('POST', `${path}/events`, { events: [purchase()], expectedVersion: 3 })).status).toBe(
    409,
  )
  const { lifetime } = where.domain.projections
  const never = `eventstore.${where.type}:0:1000000`
  expect((await call('GET', `/projections/${lifetime}/views/x?after=${never}`)).status).toBe(503)
  await waitFor('projections and snapshots', async () => {
    const text = await metrics.metrics()
    exported = readExported(text, metrics)
    return ['annals_projector_published_total', 'annals_snapshotter_snapshots_total'].every(
      (name) => exported.get(name)?.series.length !== 0,
    )
  })
  await call('GET', `${path}/load`)
  exported = readExported(String((await call('GET', '/metrics')).body['text']), metrics)
})

afterAll(() => close())

/** The metric that a series belongs to. */
const metricOf = (series: string): string =>
  exported.has(series) ? series : series.replace(histogramParts, '')

function labelsOf(series: string): readonly string[] {
  if (series === 'up') return labelsOfAll
  const recording = recordings.find(({ record }) => record === series)
  if (recording !== undefined) return labelsOfRecording(recording)
  const labels = exported.get(metricOf(series))?.labels ?? []
  return [...labelsOfAll, ...labels, ...(series.endsWith('_bucket') ? ['le'] : [])]
}

const isExported = (series: string): boolean => {
  const metric = exported.get(metricOf(series))
  return metric !== undefined && (metric.type === 'histogram') === histogramParts.test(series)
}

/** Conditions that no series of an existing metric meets. Labels that Prometheus adds are not checked. */
const unmet = ({ metric, matchers }: Selector) => {
  const series = exported.get(metricOf(metric))?.series ?? []
  return matchers
    .filter(({ label }) => series.some((labels) => label in labels))
    .filter((matcher) => !series.some((labels) => fulfils(labels[matcher.label] ?? '', matcher)))
}

describeOnLinux.each(queries)('$where', ({ expr, text }) => {
  const { selectors, groupings, aggregates } = parseQuery(expr)

  test('uses exported metrics', () => {
    const asked = selectors.map(({ metric }) => metric).filter((name) => name !== 'up' && !name.includes(':'))
    expect(asked.filter((name) => !isExported(name))).toEqual([])
  })

  test('uses existing labels and values', () => {
    for (const { metric, matchers } of selectors) {
      expect(labelsOf(metric)).toEqual(expect.arrayContaining(matchers.map(({ label }) => label)))
    }
    const all = selectors.flatMap(({ metric }) => labelsOf(metric))
    expect(all).toEqual(expect.arrayContaining([...groupings]))
    expect(selectors.flatMap(unmet)).toEqual([])
    const left = aggregates ? groupings : all
    expect(left).toEqual(expect.arrayContaining(labelsIn(text)))
  })
})

describeOnLinux('docs/operations/metrics.md', () => {
  const cell = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code)
  const rows = [...readFileSync('docs/operations/metrics.md', 'utf8').matchAll(/^\| `\w+` .*$/gm)].map(
    ([line]) => {
      const [, name, type, labels, , alertLinks] = line.split('|').map((it) => it.trim())
      const linked = [...(alertLinks ?? '').matchAll(/\[(\w+)\]\(alerts\.md#(\w+)\)/g)]
      return { name: cell(name)[0] ?? '', type, labels: cell(labels), linked }
    },
  )

  test('has a row for every metric, and every row is exported', () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...exported.keys()].toSorted())
  })

  test('states the type and the labels of each', () => {
    for (const { name, type, labels } of rows) {
      const metric = exported.get(name)
      expect({ name, type, labels }).toEqual({ name, type: metric?.type, labels: metric?.labels })
    }
  })

  test('names the alerts that use each', () => {
    for (const { name, linked } of rows) {
      const going = alerts.filter(({ expr }) => metricsBehind(expr).map(metricOf).includes(name))
      expect({ name, alerts: linked.map(([, alert]) => alert) }).toEqual({
        name,
        alerts: going.map(({ alert }) => alert),
      })
      for (const [, alert, anchor] of linked) expect(anchor).toBe(alert?.toLowerCase())
    }
  })
})
