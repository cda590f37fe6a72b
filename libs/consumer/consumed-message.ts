import type { EachMessagePayload, KafkaMessage } from 'kafkajs'

import { eventIn, type StoredEvent } from '#event-log/records'

/** One header. kafkajs returns null for a header without a value, which its declarations omit. */
type HeaderContent = Buffer | string | null

/** The headers of a message. kafkajs returns a header that occurs several times as an array. */
type ConsumedHeaders = Readonly<Record<string, HeaderContent | readonly HeaderContent[] | undefined>>

/** A message as kafkajs passes it to `eachMessage`. In `eachBatch`, take topic and partition from the batch. */
export interface ConsumedMessage extends Pick<EachMessagePayload, 'topic' | 'partition'> {
  readonly message: Omit<KafkaMessage, 'headers'> & { headers?: ConsumedHeaders }
}

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

function headerOf([name, content]: [string, ConsumedHeaders[string]]): [name: string, value: Buffer][] {
  if (content === undefined) return []
  return [content].flat().map((part) => [name, bytesOf(part)])
}

/** An absent value is empty, as it is for readers of the log itself. */
const bytesOf = (part: HeaderContent): Buffer => (Buffer.isBuffer(part) ? part : Buffer.from(part ?? ''))
