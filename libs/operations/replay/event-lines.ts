import { formatPosition, type RecordedEvent } from '#domain'
import { eventSourceDefault, extensionAttributes } from '#event-log/records'

export type LineFormat = 'ndjson' | 'cloudevents'

/** An event as one line of JSON, without the line's end. */
export const eventLines: Readonly<Record<LineFormat, (event: RecordedEvent) => string>> = {
  /** As the HTTP API gives it: the position is a token. */
  ndjson: (event) => JSON.stringify({ ...event, position: formatPosition(event.position) }),
  /** CloudEvents 1.0 in JSON, structured mode; the extensions are named as in the log's headers. */
  cloudevents: (event) => JSON.stringify(cloudEvent(event)),
}

const cloudEvent = ({ metadata, ...event }: RecordedEvent): object => ({
  specversion: '1.0',
  id: event.id,
  type: event.type,
  source: metadata.source ?? eventSourceDefault,
  subject: event.streamId,
  time: event.timestamp,
  datacontenttype: 'application/json',
  streamversion: event.version,
  position: formatPosition(event.position),
  ...extensionAttributes(metadata),
  data: event.data,
})
