import { isReadable } from '#event-log/records'
import { recordSpan, spansOf } from '#observability'
import type { AppliedStep } from '#projections'

/** Records a span for a finished step, linked to the appends of its events. A step without events has no span. */
export function traceStep({ set, source, batch, changes, skipped, checkpoint, tookMs }: AppliedStep): void {
  if (batch.length === 0) return
  recordSpan(`process ${source.topic}`, tookMs, () => ({
    kind: 'consumer',
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': source.topic,
      'messaging.destination.partition.id': String(source.partition),
      'messaging.batch.message_count': batch.length,
      'annals.projection': set.projection.name,
      'annals.generation': set.generation,
      'annals.checkpoint': checkpoint,
      'annals.skipped': skipped,
      'annals.changes': changes,
    },
    links: spansOf(batch.map((event) => (isReadable(event) ? event.metadata.traceparent : undefined))),
  }))
}
