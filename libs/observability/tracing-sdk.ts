import {
  type Attributes,
  context,
  type Context,
  diag,
  DiagLogLevel,
  type Link,
  propagation,
  type SpanKind,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'

import { deadlineIn, within } from '#async'

// The only module that imports OpenTelemetry's SDK. It is loaded when tracing is switched on.

export interface TracingOptions {
  /** `service.name` of the traces is `annals-<service>`, unless OTEL_SERVICE_NAME is set. */
  readonly service: string
  /** Percentage of the traces that start here to record. */
  readonly samplePercent: number
  readonly logger: Logger
  /** Where spans go. Default: OTLP over HTTP to the endpoint that OpenTelemetry's own variables configure. */
  readonly exporter?: SpanExporter
}

interface OpenTracer {
  readonly tracer: Tracer
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A shutdown waits no longer than this for the last spans. */
const closeMsMax = 2_000
const warningsEveryMs = 60_000

/** Sets up OpenTelemetry for this process: W3C trace context, contexts that follow awaits, and export in batches. */
export function openTracer({ service, samplePercent, logger, exporter }: TracingOptions): OpenTracer {
  diag.setLogger(diagLogger(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const provider = new TracerProvider({
    resource: resourceOf(service),
    sampler: new CausesSampler(samplePercent / 100),
    spanProcessors: [new BatchSpanProcessor({ exporter: exporter ?? new OTLPTraceExporter() })],
  })
  return {
    tracer: provider.getTracer('annals'),
    flush: () => provider.forceFlush(),
    close: async () => {
      const late = () => new Error(`not done within ${closeMsMax} ms`)
      await within(deadlineIn(closeMsMax), provider.shutdown(), late).catch((error: unknown) =>
        logger.warn({ err: error }, 'the last traces could not be sent'),
      )
      for (const global of [context, propagation, diag]) global.disable()
    },
  }
}

function resourceOf(service: string): Resource {
  const own = resourceFromAttributes({ 'service.name': `annals-${service}`, 'service.namespace': 'annals' })
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }))
}

/**
 * Records a span if any of its causes was recorded, be it the parent or one of the many links of a batch. A span
 * without a cause is sampled by the configured share.
 */
class CausesSampler implements Sampler {
  readonly #share: TraceIdRatioBasedSampler

  constructor(share: number) {
    this.#share = new TraceIdRatioBasedSampler(share)
  }

  shouldSample(
    within: Context,
    traceId: string,
    _name: string,
    _kind: SpanKind,
    _attributes: Attributes,
    links: readonly Link[],
  ): SamplingResult {
    const parent = trace.getSpanContext(within)
    const causes = [...(parent === undefined ? [] : [parent]), ...links.map((link) => link.context)]
    if (causes.length === 0) return this.#share.shouldSample(within, traceId)
    const isRecorded = causes.some(({ traceFlags }) => (traceFlags & TraceFlags.SAMPLED) !== 0)
    return { decision: isRecorded ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD }
  }
}

/** Limits the log lines of an unavailable collector, which would otherwise fail with one line per batch. */
function diagLogger(logger: Logger) {
  let quietUntilMs = 0
  const warn = (message: string) => {
    if (performance.now() < quietUntilMs) return
    quietUntilMs = performance.now() + warningsEveryMs
    logger.warn({ reason: message }, 'traces cannot be sent')
  }
  const ignore = () => undefined
  return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore }
}
