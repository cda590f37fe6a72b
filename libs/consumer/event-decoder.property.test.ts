import { SchemaRegistry as RegistryClient } from '@kafkajs/confluent-schema-registry'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { defineAggregate, newEventId, parseStreamId, parseVersion } from '#domain'
import { toLogRecord } from '#event-log/records'
import { RecordCodec, SchemaCatalog, schemaVersionOf } from '#schemas'
import { FakeRegistry, recordCases } from '#schemas/testing'

import { createEventDecoder } from './event-decoder.ts'
import { consumedMessage } from './testing/index.ts'

test('an event equals what the writer encoded, for any schema, data and metadata', async () => {
  const fake = await FakeRegistry.start()
  const registry = new RegistryClient({ host: fake.url })
  const text = fc.string({ unit: 'grapheme', minLength: 1 })
  const arbitrary = fc.record({
    made: recordCases.chain(({ schema, values }) => fc.record({ schema: fc.constant(schema), data: values })),
    id: fc.string().map(() => newEventId()),
    key: fc.stringMatching(/^[\w.é-]{1,40}$/),
    version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    metadata: fc.record(
      { correlationId: text, userId: text, tenant: text, attempt: fc.integer(), isTrial: fc.boolean() },
      { requiredKeys: [] },
    ),
  })
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ made, id, key, version, metadata }) => {
      const json = { ...(made.schema as { readonly name: string }), namespace: 'order' }
      const schema = schemaVersionOf(
        { file: 'any.avsc', aggregateType: 'any', name: json.name, version: 1 },
        json,
      )
      const any = defineAggregate<null, { type: string; data: unknown }>({
        type: 'any',
        initialState: null,
        evolve: { [json.name]: () => null },
      })
      const decoder = createEventDecoder({
        aggregates: [any],
        catalog: new SchemaCatalog([schema]),
        registry,
      })
      const value = new RecordCodec(schema).encode(fake.add(schema.subject, schema.text), made.data)
      const event = {
        id,
        streamId: parseStreamId(`any.${key}`),
        type: json.name,
        version: parseVersion(version),
        timestamp: '2026-01-05T10:00:00.000Z',
        metadata,
      }
      const message = consumedMessage(
        'eventstore.any',
        toLogRecord({ ...event, timestampMs: Date.parse(event.timestamp), value }),
        5,
      )
      const position = { topic: 'eventstore.any', partition: 0, offset: 5 }
      expect(await decoder.decode(message)).toEqual({
        kind: 'event',
        event: { ...event, position, data: made.data },
      })
    }),
    { numRuns: 60 },
  )
})
