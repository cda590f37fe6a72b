import { Counter } from 'prom-client'
import { expect, test } from 'vitest'

import { createMetrics } from './metrics.ts'

test('every metric has its service as a label', async () => {
  const registry = createMetrics({ service: 'writer', processMetrics: false })
  new Counter({ name: 'appends_total', help: 'Appends', registers: [registry] }).inc(2)
  expect(await registry.metrics()).toContain('appends_total{service="writer"} 2')
})

test('the process is measured unless that is switched off', async () => {
  const names = async (processMetrics?: boolean) =>
    (
      await createMetrics({
        service: 'a',
        ...(processMetrics !== undefined && { processMetrics }),
      }).getMetricsAsJSON()
    ).map(({ name }) => name)
  expect(await names()).toContain('process_cpu_seconds_total')
  expect(await names(false)).toEqual([])
})

test('two registries share nothing', () => {
  const [one, other] = ['a', 'b'].map((service) => createMetrics({ service, processMetrics: false }))
  new Counter({ name: 'n', help: 'n', registers: one ? [one] : [] })
  expect(other?.getSingleMetric('n')).toBeUndefined()
})
