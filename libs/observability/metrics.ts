import { collectDefaultMetrics, Registry } from 'prom-client'

interface MetricsOptions {
  /** The label `service` of every metric. */
  readonly service: string
  /** Also measure memory, CPU, event loop and garbage collection of the process. Default true. */
  readonly processMetrics?: boolean
}

/** Creates a Prometheus registry. Services in one process, and tests, do not share a global one. */
export function createMetrics({ service, processMetrics = true }: MetricsOptions): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  if (processMetrics) collectDefaultMetrics({ register: registry })
  return registry
}
