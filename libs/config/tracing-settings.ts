import { count, flag, group } from './settings.ts'

export const tracing = group(
  'Tracing',
  "OpenTelemetry traces: see [tracing](operations/tracing.md). OpenTelemetry's own variables configure the exporter, above all `OTEL_EXPORTER_OTLP_ENDPOINT`.",
  {
    enabled: flag({ env: 'ANNALS_TRACING', default: false, description: 'Whether traces are recorded.' }),
    samplePercent: count({
      env: 'ANNALS_TRACING_SAMPLE_PERCENT',
      default: 100,
      minimum: 0,
      maximum: 100,
      description:
        "Percentage of the traces that start here to record. Traces that callers started are recorded if the caller's context says so.",
    }),
  },
)
