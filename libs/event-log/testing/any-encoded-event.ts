import fc from 'fast-check'

import { metadataFields, newEventId, parseStreamId, parseVersion } from '#domain'
import { type EncodedEvent, eventSourceDefault } from '#event-log/records'

const text = fc.string({ unit: 'grapheme', minLength: 1 })

const namedFields = fc.record(
  {
    correlationId: text,
    causationId: text,
    userId: text,
    sessionId: text,
    source: text.filter((source) => source !== eventSourceDefault),
    traceparent: text,
  },
  { requiredKeys: [] },
)

const fieldNames: readonly string[] = metadataFields.map((name) => name.toLowerCase())
const ownKey = fc
  .stringMatching(/^[A-Za-z][\w.-]{0,20}$/)
  .filter((key) => !fieldNames.includes(key.toLowerCase()) && !(key in Object.prototype))
/** JSON writes -0 as 0. */
const ownNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0)
const ownKeys = fc.dictionary(ownKey, fc.oneof(text, ownNumber, fc.integer(), fc.boolean()), {
  maxKeys: 8,
  noNullPrototype: true,
})

/** An event of `order` with any metadata: named fields and the caller's own keys. Its data are any bytes. */
export const anyEncodedEvent: fc.Arbitrary<EncodedEvent> = fc
  .record({
    id: fc.constant(newEventId()),
    streamId: fc.stringMatching(/^order\.[\w.-]{1,40}$/).map(parseStreamId),
    type: text,
    version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((number) => parseVersion(number)),
    timestamp: fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    metadata: fc.tuple(namedFields, ownKeys).map(([fields, own]) => ({ ...fields, ...own })),
    value: fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
  })
  .map((parts) => ({ ...parts, timestampMs: Date.parse(parts.timestamp) }))
