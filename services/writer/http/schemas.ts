import { Type } from '@sinclair/typebox'

import { metadataTable } from '#domain'
import { appendsPerRequestMax } from '#event-store'
import { problemProperties } from '#http'

const id = '0198c0de-0000-7000-8000-000000000001'
const streamId = 'order.order-42'
const time = '2026-01-31T12:00:00.000Z'

/** An aggregate type, a dot and an id have 301 characters at most. */
const streamIdSchema = Type.String({
  maxLength: 400,
  description: '`{aggregateType}.{aggregateId}`',
  examples: [streamId],
})
const versionSchema = Type.Integer({ minimum: 0, description: '1, 2, 3 …; 0: there is no stream' })
const positionSchema = Type.String({
  description: 'Place in the log, `topic:partition:offset`',
  examples: ['eventstore.order:3:42'],
})
const timestampSchema = Type.String({ description: 'ISO 8601, UTC, milliseconds', examples: [time] })

/** Own keys are checked by the store, whose message names the key. */
const metadataSchema = Type.Object(
  Object.fromEntries(
    Object.entries(metadataTable).map(([field, { description }]) => [
      field,
      Type.Optional(Type.String({ description })),
    ]),
  ),
  {
    additionalProperties: Type.Unknown({ type: ['string', 'number', 'boolean'] }),
    description: 'Who and what the event came from: these fields, and own keys of the caller',
  },
)

/** Checked by the store, whose message is better than a schema's; the schema documents the fields. */
const expectedVersionSchema = Type.Unknown({
  description: 'The version that was read (0: no stream), or one of the words. Default `any`',
  anyOf: [{ type: 'integer', minimum: 0 }, { enum: ['any', 'no-stream', 'stream-exists'] }],
  examples: [3, 'no-stream'],
})

const newEventSchema = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'A UUID; the writer makes one where there is none',
        examples: [id],
      }),
    ),
    type: Type.String({ minLength: 1, maxLength: 500, examples: ['OrderPlaced'] }),
    data: Type.Unknown({
      description: 'As the schema of the event type says',
      examples: [{ customerId: 'c-7' }],
    }),
    metadata: Type.Optional(metadataSchema),
  },
  { additionalProperties: false },
)

const bodyProperties = (eventsMax: number) => ({
  events: Type.Array(newEventSchema, { maxItems: eventsMax }),
  expectedVersion: Type.Optional(expectedVersionSchema),
})

/** @param eventsMax of one append. */
export const appendBodySchema = (eventsMax: number) =>
  Type.Object(bodyProperties(eventsMax), { additionalProperties: false })

export const appendItemSchema = (eventsMax: number) =>
  Type.Object({ streamId: streamIdSchema, ...bodyProperties(eventsMax) }, { additionalProperties: false })

export const appendsBodySchema = (eventsMax: number) =>
  Type.Object(
    { appends: Type.Array(appendItemSchema(eventsMax), { minItems: 1, maxItems: appendsPerRequestMax }) },
    { additionalProperties: false },
  )

const appendResultProperties = {
  streamId: streamIdSchema,
  firstVersion: versionSchema,
  lastVersion: versionSchema,
  position: positionSchema,
  eventIds: Type.Array(Type.String({ examples: [id] })),
  duplicate: Type.Boolean({
    description: 'The same events were already there: this is the first answer again',
  }),
}

export const appendResultSchema = (description: string) =>
  Type.Object(appendResultProperties, { description })

/** One flat shape for success and problem: the compiled serialiser of a union would validate each result to choose. */
export const appendsResultSchema = Type.Object(
  {
    results: Type.Array(
      Type.Object({
        status: Type.Integer({ description: '201 appended, 200 duplicate, or the status of a problem' }),
        ...Type.Partial(Type.Object(appendResultProperties)).properties,
        ...Type.Partial(Type.Object(problemProperties)).properties,
      }),
    ),
  },
  { description: 'One result for each append, in their order; each stands on its own' },
)

const eventSchema = Type.Object({
  id: Type.String({ examples: [id] }),
  streamId: streamIdSchema,
  type: Type.String({ examples: ['OrderPlaced'] }),
  version: versionSchema,
  position: positionSchema,
  timestamp: timestampSchema,
  data: Type.Unknown({ examples: [{ customerId: 'c-7' }] }),
  metadata: metadataSchema,
})

export const streamInfoSchema = Type.Object(
  {
    streamId: streamIdSchema,
    version: versionSchema,
    snapshotVersion: Type.Optional(versionSchema),
    firstTimestamp: timestampSchema,
    lastTimestamp: timestampSchema,
    partition: Type.Integer({ minimum: 0 }),
    owner: Type.Optional(Type.String({ description: 'URL of the writer that may append now' })),
  },
  { description: 'The stream' },
)

export const streamPageSchema = Type.Object(
  {
    streamId: streamIdSchema,
    version: versionSchema,
    events: Type.Array(eventSchema),
    next: Type.Optional(
      Type.Integer({
        description: 'Where the next page starts: its fromVersion, or backwards its toVersion',
      }),
    ),
  },
  { description: 'A page; an absent stream has version 0 and no events' },
)

export const loadedStreamSchema = Type.Object(
  {
    streamId: streamIdSchema,
    version: versionSchema,
    snapshot: Type.Optional(
      Type.Object({
        streamId: streamIdSchema,
        version: versionSchema,
        stateVersion: Type.Integer(),
        state: Type.Unknown(),
        timestamp: timestampSchema,
      }),
    ),
    events: Type.Array(eventSchema, {
      description: 'From the version after the snapshot; read on where there are more',
    }),
  },
  { description: 'What a repository needs to rebuild an aggregate' },
)

export const stateSchema = Type.Object(
  { streamId: streamIdSchema, version: versionSchema, state: Type.Unknown() },
  { description: 'The state' },
)

export const categoryPageSchema = Type.Object(
  {
    events: Type.Array(eventSchema),
    cursor: Type.String({ description: 'Where the next page starts, whether there is one yet or not' }),
    atEnd: Type.Boolean({ description: 'Nothing more was there when the page was read' }),
  },
  { description: 'A page' },
)

export const ownersSchema = Type.Object(
  {
    partitions: Type.Array(
      Type.Object({
        topic: Type.String({ examples: ['eventstore.order'] }),
        partition: Type.Integer({ minimum: 0 }),
        url: Type.Optional(
          Type.String({
            description: 'Absent while the owner has not proved to be there',
            examples: ['http://127.0.0.1:7400'],
          }),
        ),
        memberId: Type.String(),
      }),
    ),
  },
  { description: 'The routing table' },
)

export const streamParams = Type.Object({ id: streamIdSchema })
export const categoryParams = Type.Object({
  type: Type.String({ description: 'Aggregate type', examples: ['order'] }),
})

const timeBounds = {
  from: Type.Optional(Type.String({ description: 'Not before this time, ISO 8601', examples: [time] })),
  until: Type.Optional(Type.String({ description: 'Before this time, ISO 8601', examples: [time] })),
}
const limit = Type.Optional(Type.Integer({ description: 'Events a page, 1 to 1,000; default 100' }))

export const readQuery = Type.Object(
  {
    fromVersion: Type.Optional(versionSchema),
    toVersion: Type.Optional(versionSchema),
    ...timeBounds,
    direction: Type.Optional(
      Type.Union([Type.Literal('forwards'), Type.Literal('backwards')], { description: 'Default forwards' }),
    ),
    limit,
  },
  { additionalProperties: false },
)

export const loadQuery = Type.Object(
  {
    stateVersion: Type.Optional(
      Type.Integer({ description: 'A snapshot of this state version may stand in for the events up to it' }),
    ),
  },
  { additionalProperties: false },
)

export const stateQuery = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The state after this event; 0: the initial state' }),
    ),
    at: Type.Optional(Type.String({ description: 'The state at this time, ISO 8601', examples: [time] })),
  },
  { additionalProperties: false },
)

const categoryFilters = {
  partition: Type.Optional(Type.Integer({ minimum: 0 })),
  cursor: Type.Optional(Type.String({ description: 'Where to go on, as an earlier answer gave it' })),
  offset: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Where to start in `partition`, in place of a cursor' }),
  ),
  eventType: Type.Optional(
    Type.Array(Type.String({ maxLength: 500 }), {
      maxItems: 1_000,
      description: 'Only these; may stand there more than once',
    }),
  ),
  ...timeBounds,
  correlationId: Type.Optional(Type.String()),
}

export const categoryQuery = Type.Object({ ...categoryFilters, limit }, { additionalProperties: false })

/** A subscription has no pages, so no limit either. */
export const categorySubscribeQuery = Type.Object(categoryFilters, { additionalProperties: false })
