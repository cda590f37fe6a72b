import { collectDefaultMetrics, Registry } from 'prom-client'

export interface MetricsOptions {
  /** The label `service` of every metric. */
  readonly service: string
  /** Also memory, CPU, event loop and garbage collection of the process. Default true. */
  readonly processMetrics?: boolean
}

/** A registry of its own for Prometheus, so that services in one process and tests do not meet in a global one. */
export function createMetrics({ service, processMetrics = true }: MetricsOptions): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  if (processMetrics) collectDefaultMetrics({ register: registry })
  return registry
}
