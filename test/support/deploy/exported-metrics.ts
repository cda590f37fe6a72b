import type { Registry } from 'prom-client'

/** A metric exported by a service. */
export interface ExportedMetric {
  readonly type: string
  /** Its possible labels, without those that a histogram adds and the registry's defaults. */
  readonly labels: readonly string[]
  /** The labels of each existing series. */
  readonly series: readonly Readonly<Record<string, string>>[]
}

/**
 * Parses the answer of `/metrics`, by the metric's name.
 * @param text in the Prometheus text format.
 * @param registry the registry that rendered it. It knows the labels of metrics that have no series yet.
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
