import { formatPosition, type RecordedEvent } from '#domain'
import { eventSourceDefault, extensionAttributes } from '#event-log/records'

export type LineFormat = 'ndjson' | 'cloudevents'

/** Formats an event as one line of JSON, without a newline. */
export const eventLines: Readonly<Record<LineFormat, (event: RecordedEvent) => string>> = {
  /** The format of the HTTP API: the position is a token. */
  ndjson: ({ id, streamId, type, version, position, timestamp, data, metadata }) =>
    JSON.stringify({
      id,
      streamId,
      type,
      version,
      position: formatPosition(position),
      timestamp,
      data,
      metadata,
    } satisfies Record<keyof RecordedEvent, unknown>),
  /** CloudEvents 1.0 in JSON, structured mode. Extensions have the names of the headers in the log. */
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
