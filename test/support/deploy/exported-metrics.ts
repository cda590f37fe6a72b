import type { Registry } from 'prom-client'

/** A metric as a service exports it. */
export interface ExportedMetric {
  readonly type: string
  /** Those that it may have, without what a histogram adds and the default ones of the registry. */
  readonly labels: readonly string[]
  /** The labels of each series that there is. */
  readonly series: readonly Readonly<Record<string, string>>[]
}

/**
 * What `/metrics` says, by the metric's name.
 * @param text in the text format of Prometheus.
 * @param registry that made it: it knows the labels of metrics that have no series yet.
 */
export function readExported(text: string, registry: Registry): ReadonlyMap<string, ExportedMetric> {
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
  return new Map(
    types.map(([, name = '', type = '']) => {
      const { labelNames = [] } = registry.getSingleMetric(name) as { labelNames?: readonly string[] }
      const suffix = type === 'histogram' ? '_(?:bucket|sum|count)' : ''
      const lines = text.matchAll(new RegExp(`^${name}${suffix}\\{(.*)\\} `, 'gm'))
      return [
        name,
        { type, labels: labelNames, series: [...lines].map(([, labels = '']) => readLabels(labels)) },
      ]
    }),
  )
}

const readLabels = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', value = '']) => [label, value]),
  )
