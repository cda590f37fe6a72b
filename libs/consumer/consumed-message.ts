import type { EachMessagePayload, IHeaders } from 'kafkajs'

import { eventIn } from '#event-log/records'

/** A message as kafkajs gives it to `eachMessage`. In `eachBatch` topic and partition are those of the batch. */
export type ConsumedMessage = Pick<EachMessagePayload, 'topic' | 'partition' | 'message'>

/** An event as the log holds it, with its data encoded. */
export type StoredEvent = ReturnType<typeof eventIn>

/** @throws InvalidInputError that says why the message is no event of Annals. */
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

/** kafkajs gives a header that occurs several times as an array. */
function headerOf([name, content]: [string, IHeaders[string]]): [name: string, value: Buffer][] {
  if (content === undefined) return []
  return [content].flat().map((part) => [name, typeof part === 'string' ? Buffer.from(part) : part])
}
