import type { AppendResult, NewEvent, StreamId } from '#domain'
import { isTracing, spansOf, traced } from '#observability'

/**
 * Appends in a span of its own, which the events remember as their `traceparent` where the caller gave them none. A caller's own is linked to: many
 * appends may have come in one request. Changes nothing while tracing is off.
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
