import type { AppendResult, NewEvent, StreamId } from '#domain'
import { isTracing, spansOf, traced } from '#observability'

/**
 * Appends in a separate span. Events without a `traceparent` get that of the span; a caller's own one is linked, because
 * one request may contain many appends. Does nothing while tracing is off.
 */
export function tracedAppend(
  streamId: StreamId,
  events: readonly NewEvent[],
  append: (events: readonly NewEvent[]) => Promise<AppendResult>,
): Promise<AppendResult> {
  if (!isTracing()) return append(events)
  const details = () => ({
    attributes: { 'annals.stream': streamId, 'annals.events': events.length },
    links: spansOf(events.map(({ metadata }) => metadata?.traceparent)),
  })
  return traced('append', details, async (span) => {
    const result = await append(withTraceparent(events, span?.traceparent))
    const { firstVersion, lastVersion, position, duplicate } = result
    span?.set({
      'annals.first_version': firstVersion,
      'annals.last_version': lastVersion,
      'annals.partition': position.partition,
      'annals.offset': position.offset,
      'annals.duplicate': duplicate,
    })
    return result
  })
}

const withTraceparent = (
  events: readonly NewEvent[],
  traceparent: string | undefined,
): readonly NewEvent[] =>
  traceparent === undefined
    ? events
    : events.map((event) => ({ ...event, metadata: { traceparent, ...event.metadata } }))
