export { HealthRegistry, type HealthReport } from './health-registry.ts'
export { createLogger } from './logger.ts'
export { createMetrics } from './metrics.ts'
export { reportSafely } from './report-safely.ts'
export { createShutdown } from './shutdown.ts'
export {
  activeSpan,
  isTracing,
  OpenSpan,
  openSpan,
  recordSpan,
  spansOf,
  startTracing,
  traced,
} from './tracing.ts'
