export { HealthRegistry, type HealthReport } from './health-registry.ts'
export { createLogger, type LoggerOptions } from './logger.ts'
export { createMetrics } from './metrics.ts'
export { reportSafely } from './report-safely.ts'
export { createShutdown } from './shutdown.ts'
export {
  activeSpan,
  isTracing,
  OpenSpan,
  openSpan,
  recordSpan,
  type SpanContext,
  spansOf,
  startTracing,
  traced,
  type Tracing,
  type TracingOptions,
} from './tracing.ts'
