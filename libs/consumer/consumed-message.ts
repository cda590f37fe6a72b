import type { EachMessagePayload, IHeaders } from 'kafkajs'

import { eventIn, type StoredEvent } from '#event-log/records'

/** A message as kafkajs passes it to `eachMessage`. In `eachBatch`, take topic and partition from the batch. */
export type ConsumedMessage = Pick<EachMessagePayload, 'topic' | 'partition' | 'message'>

/** The event of a message, with its data encoded. @throws InvalidInputError with the reason why the message is not an event of Annals. */
export function storedEventOf({ topic, message }: ConsumedMessage): StoredEvent {
  const { key, value, headers, offset } = message
  const record = {
    offset: Number(offset),
    key: key ?? Buffer.alloc(0),
    value,
    headers: Object.entries(headers ?? {}).flatMap(headerOf),
  }
  return eventIn(topic, record)
}

/** kafkajs returns a header that occurs several times as an array. */
function headerOf([name, content]: [string, IHeaders[string]]): [name: string, value: Buffer][] {
  if (content === undefined) return []
  return [content].flat().map((part) => [name, typeof part === 'string' ? Buffer.from(part) : part])
}
