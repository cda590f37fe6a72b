export { type CheckResult, type HealthCheck, HealthRegistry, type HealthReport } from './health-registry.ts'
export { createLogger, type LoggerOptions } from './logger.ts'
export { createMetrics, type MetricsOptions } from './metrics.ts'
export { reportSafely } from './report-safely.ts'
export { createShutdown, type Shutdown, type ShutdownOptions } from './shutdown.ts'
export {
  activeSpan,
  isTracing,
  OpenSpan,
  openSpan,
  recordSpan,
  type SpanContext,
  type SpanDetails,
  spansOf,
  startTracing,
  traced,
  type Tracing,
  type TracingOptions,
} from './tracing.ts'
