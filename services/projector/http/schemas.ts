import { Type } from '@sinclair/typebox'

const time = '2026-01-31T12:00:00.000Z'
const generationId = '0198c0de-0000-7000-8000-000000000001'
const positionToken = 'eventstore.order:3:42'

const timestampSchema = Type.String({ description: 'ISO 8601, UTC, milliseconds', examples: [time] })
const positionSchema = Type.String({
  maxLength: 300,
  description: 'Position in the log, `topic:partition:offset`',
  examples: [positionToken],
})
const nameSchema = Type.String({ description: 'Name of the projection', examples: ['customer-lifetime'] })
const keySchema = Type.String({ description: 'Key of the view', examples: ['customer-42'] })
const generationSchema = Type.String({ description: 'Id of a generation', examples: [generationId] })
const count = (description: string) => Type.Integer({ minimum: 0, description })

export const projectionParams = Type.Object({ name: nameSchema })
export const viewParams = Type.Object({ name: nameSchema, key: keySchema })
export const generationParams = Type.Object({ name: nameSchema, id: generationSchema })

const viewOptions = {
  after: Type.Optional(
    Type.String({
      description:
        "Wait until the event at this position is applied. With an append's `position`, callers read their own writes",
      examples: [positionToken],
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Time-out of that wait; the server has its own limit' }),
  ),
  generation: Type.Optional(
    Type.String({
      description: 'A generation other than the serving one, such as the views of a past time',
      examples: [generationId],
    }),
  ),
}

export const viewQuery = Type.Object(viewOptions, { additionalProperties: false })

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'Default 100' }))

export const viewsQuery = Type.Object(
  {
    ...viewOptions,
    orderBy: Type.Optional(
      Type.String({ description: 'A declared index; default: order by key', examples: ['spend'] }),
    ),
    desc: Type.Optional(Type.Boolean({ description: 'Descending order' })),
    limit,
    cursor: Type.Optional(Type.String({ description: '`next` of the previous page' })),
  },
  { additionalProperties: false },
)

export const viewSubscribeQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ description: 'Cursor of the change to start after; default: all current views first' }),
    ),
    fromNow: Type.Optional(Type.Boolean({ description: 'Only changes from now on' })),
    key: Type.Optional(Type.String({ description: 'Only this view' })),
  },
  { additionalProperties: false },
)

export const deadLettersQuery = Type.Object(
  { offset: Type.Optional(count('Number of events to skip')), limit },
  { additionalProperties: false },
)

export const rebuildBody = Type.Object(
  {
    untilTime: Type.Optional(
      Type.String({
        description: 'Build the views of a past time, from events before it, ISO 8601',
        maxLength: 100,
        examples: [time],
      }),
    ),
    untilPosition: Type.Optional(
      Type.String({
        maxLength: 300,
        description:
          'Build past views up to and including the event at this position; in other partitions up to its time',
        examples: [positionToken],
      }),
    ),
  },
  { additionalProperties: false },
)

const positionsSchema = Type.Array(positionSchema, { minItems: 1, maxItems: 1_000 })

export const retryBody = Type.Object(
  { positions: Type.Optional(positionsSchema) },
  { additionalProperties: false, description: 'Default: the oldest 1,000' },
)

export const dropBody = Type.Object({ positions: positionsSchema }, { additionalProperties: false })

const viewProperties = {
  key: keySchema,
  view: Type.Unknown({ examples: [{ purchases: 3, spend: '79.85' }] }),
  changedAt: timestampSchema,
}

export const viewSchema = Type.Object(viewProperties, { description: 'The view' })

export const viewsPageSchema = Type.Object(
  {
    views: Type.Array(Type.Object(viewProperties)),
    next: Type.Optional(Type.String({ description: 'Cursor of the next page; absent on the last' })),
  },
  { description: 'A page' },
)

const partitionSchema = Type.Object({
  topic: Type.String({ examples: ['eventstore.order'] }),
  partition: Type.Integer({ minimum: 0 }),
  checkpoint: count('Next offset to apply'),
  lag: count('Offsets up to the end of the log; 0: caught up'),
  stopped: Type.Optional(
    Type.Object(
      { position: positionSchema, error: Type.String(), since: timestampSchema },
      { description: 'The reason why it is stopped until `resume`' },
    ),
  ),
})

const generationInfoSchema = Type.Object({
  id: generationSchema,
  status: Type.Unsafe<string>({
    type: 'string',
    enum: ['building', 'serving', 'kept', 'retired'],
    description:
      '`building` is catching up, `serving` answers readers, `kept` has the views of a past time, `retired` is being removed',
  }),
  viewVersion: Type.Integer(),
  createdAt: timestampSchema,
  damage: Type.Optional(
    Type.String({ description: 'The part that was dropped or emptied; another generation replaces it' }),
  ),
  views: count('Number of views'),
  deadLetters: count('Number of parked events'),
  progress: Type.Object(
    {
      done: count('Processed offsets'),
      total: count('Total offsets'),
      rate: Type.Number({ description: 'Per second since it was created' }),
      etaSeconds: Type.Optional(
        Type.Number({ description: 'Absent without progress, or when nothing is left' }),
      ),
    },
    { description: 'Counted in offsets: events, and occasional markers' },
  ),
  partitions: Type.Array(partitionSchema),
})

const projectionProperties = {
  name: nameSchema,
  sources: Type.Array(Type.String({ description: 'Aggregate type', examples: ['order'] })),
  keyedBy: Type.Unsafe<string>({ type: 'string', enum: ['stream', 'across'] }),
  viewVersion: Type.Integer(),
  indexes: Type.Array(Type.String()),
  serving: Type.Optional(Type.String({ description: 'The serving generation', examples: [generationId] })),
  generations: Type.Array(generationInfoSchema),
  waitForOperator: Type.Optional(
    Type.Array(
      Type.Object({
        topic: Type.String({ examples: ['eventstore.order'] }),
        partition: Type.Optional(
          Type.Integer({ minimum: 0, description: 'Absent: all partitions of the topic' }),
        ),
        state: Type.String({ examples: ['log-replaced'] }),
        reason: Type.String({ description: 'The cause and the remedy' }),
      }),
      { description: 'Sources that are not read until an operator acts; absent if there are none' },
    ),
  ),
}

export const projectionSchema = Type.Object(projectionProperties, { description: 'The projection' })

export const projectionsSchema = Type.Object(
  { projections: Type.Array(Type.Object(projectionProperties)) },
  { description: 'All projections' },
)

export const rebuildSchema = Type.Object(
  { generation: generationSchema },
  { description: 'The rebuild has started; the projection reports its progress' },
)

export const resumeSchema = Type.Object(
  { resumed: count('Number of resumed partitions') },
  { description: 'The partitions resume' },
)

const deadLetterSchema = Type.Object({
  position: positionSchema,
  error: Type.String({ description: 'The reason why it could not be applied' }),
  at: timestampSchema,
})

export const deadLettersSchema = Type.Object(
  { deadLetters: Type.Array(deadLetterSchema) },
  { description: 'Parked events of the serving generation, oldest first' },
)

export const retrySchema = Type.Object(
  {
    applied: count('Number of applied events'),
    failed: Type.Array(deadLetterSchema, { description: 'Events that failed again; they stay parked' }),
  },
  { description: 'The outcome' },
)

export const dropSchema = Type.Object(
  { dropped: count('Number of dropped events') },
  { description: 'The events are dropped permanently' },
)
