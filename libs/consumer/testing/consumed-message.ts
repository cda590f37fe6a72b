import type { LogRecord } from '#kafka'

import type { ConsumedMessage } from '../index.ts'

/** A record as kafkajs passes it to `eachMessage`. */
export const consumedMessage = (
  topic: string,
  { key, value, headers, timestampMs }: LogRecord,
  offset: number,
  partition = 0,
): ConsumedMessage => ({
  topic,
  partition,
  message: {
    key,
    value,
    offset: String(offset),
    timestamp: String(timestampMs),
    attributes: 0,
    headers: Object.fromEntries(
      headers.map(([name, text]) => [name, Buffer.isBuffer(text) ? text : Buffer.from(text)]),
    ),
  },
})
