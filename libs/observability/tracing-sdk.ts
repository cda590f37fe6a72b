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

// The one module that imports OpenTelemetry's SDK; it is loaded when tracing is switched on.

export interface TracingOptions {
  /** The traces' `service.name` is `annals-<service>`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly service: string
  /** How many of the traces that begin here are recorded, of 100. */
  readonly samplePercent: number
  readonly logger: Logger
  /** Where spans go. Default: by OTLP over HTTP to where OpenTelemetry's own variables say. */
  readonly exporter?: SpanExporter
}

export interface OpenTracer {
  readonly tracer: Tracer
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

/** The end of a process does not wait longer for its last spans. */
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
 * Whatever something recorded led to is recorded too, be that its parent or one of the many that a batch came from; what nothing led to, by its share.
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

/** A collector that is away would otherwise have its line in the log for every batch. */
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
