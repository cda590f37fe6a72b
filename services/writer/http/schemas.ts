import { Type } from '@sinclair/typebox'

import { metadataTable } from '#domain'
import { appendsPerRequestMax } from '#event-store'
import { problemProperties } from '#http'

const id = '0198c0de-0000-7000-8000-000000000001'
const streamId = 'order.order-42'
const time = '2026-01-31T12:00:00.000Z'

/** An aggregate type, a dot and an id have at most 301 characters. */
const streamIdSchema = Type.String({
  maxLength: 400,
  description: '`{aggregateType}.{aggregateId}`',
  examples: [streamId],
})
const versionSchema = Type.Integer({ minimum: 0, description: '1, 2, 3 …; 0: the stream does not exist' })
const positionSchema = Type.String({
  description: 'Position in the log, `topic:partition:offset`',
  examples: ['eventstore.order:3:42'],
})
const timestampSchema = Type.String({ description: 'ISO 8601, UTC, milliseconds', examples: [time] })

/** The caller's own keys are validated by the store, whose error names the key. */
const metadataSchema = Type.Object(
  Object.fromEntries(
    Object.entries(metadataTable).map(([field, { description }]) => [
      field,
      Type.Optional(Type.String({ description })),
    ]),
  ),
  {
    additionalProperties: Type.Unknown({ type: ['string', 'number', 'boolean'] }),
    description: 'Origin of the event: these fields, and keys of the caller',
  },
)

/** The store validates this field with a better error. The schema documents it. */
const expectedVersionSchema = Type.Unknown({
  description: 'The version that was read (0: no stream), or one of the keywords. Default `any`',
  anyOf: [{ type: 'integer', minimum: 0 }, { enum: ['any', 'no-stream', 'stream-exists'] }],
  examples: [3, 'no-stream'],
})

const newEventSchema = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        maxLength: 100,
        description: 'A UUID; by default the writer generates one',
        examples: [id],
      }),
    ),
    type: Type.String({ minLength: 1, maxLength: 500, examples: ['OrderPlaced'] }),
    data: Type.Unknown({
      description: 'Must match the schema of the event type',
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
    description: 'The same events were already appended; this is the first result',
  }),
}

export const appendResultSchema = (description: string) =>
  Type.Object(appendResultProperties, { description })

/** One flat shape for results and problems: the compiled serialiser of a union would validate each result. */
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
  { description: 'One result for each append, in the order of the request' },
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
        description: 'Start of the next page: its fromVersion, or its toVersion if backwards',
      }),
    ),
  },
  { description: 'A page; a stream that does not exist has version 0 and no events' },
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
      description: 'Events from the version after the snapshot; further pages must be read if there are more',
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
    cursor: Type.String({ description: 'Start of the next page, also at the end of the log' }),
    atEnd: Type.Boolean({ description: 'Whether the page reached the end of the log' }),
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
            description: 'Absent while the address of the owner is not verified',
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
const limit = Type.Optional(Type.Integer({ description: 'Events per page, 1 to 1,000; default 100' }))

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
      Type.Integer({ description: 'State version of a snapshot that may replace the events up to it' }),
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
  cursor: Type.Optional(Type.String({ description: 'Cursor of an earlier response' })),
  offset: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Start offset in `partition`, instead of a cursor' }),
  ),
  eventType: Type.Optional(
    Type.Array(Type.String({ maxLength: 500 }), {
      maxItems: 1_000,
      description: 'Only events of these types; may be repeated',
    }),
  ),
  ...timeBounds,
  correlationId: Type.Optional(Type.String()),
}

export const categoryQuery = Type.Object({ ...categoryFilters, limit }, { additionalProperties: false })

/** A subscription has no pages, so it has no limit. */
export const categorySubscribeQuery = Type.Object(categoryFilters, { additionalProperties: false })
