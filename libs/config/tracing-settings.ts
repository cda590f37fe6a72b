import { count, flag, group } from './settings.ts'

export const tracing = group(
  'Tracing',
  "Traces by OpenTelemetry: see [tracing](operations/tracing.md). Where they go is said by OpenTelemetry's own variables, `OTEL_EXPORTER_OTLP_ENDPOINT` above all.",
  {
    enabled: flag({ env: 'ANNALS_TRACING', default: false, description: 'Whether traces are made.' }),
    samplePercent: count({
      env: 'ANNALS_TRACING_SAMPLE_PERCENT',
      default: 100,
      minimum: 0,
      maximum: 100,
      description:
        'How many of the traces that begin here are recorded, of 100. Those that callers began are recorded where they say so.',
    }),
  },
)
