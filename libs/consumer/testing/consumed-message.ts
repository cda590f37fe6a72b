import type { LogRecord } from '#kafka'

import type { ConsumedMessage } from '../index.ts'

/** A record whose headers may be without a value, as other producers write them. */
interface ProducedRecord extends Omit<LogRecord, 'headers'> {
  readonly headers: readonly (readonly [name: string, value: Buffer | string | null])[]
}

/** A record as kafkajs passes it to `eachMessage`. */
export const consumedMessage = (
  topic: string,
  { key, value, headers, timestampMs }: ProducedRecord,
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
      headers.map(([name, text]) => [name, typeof text === 'string' ? Buffer.from(text) : text]),
    ),
  },
})
